package tenure.okhttp

import java.io.IOException
import kotlinx.coroutines.runBlocking
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response
import tenure.AccessToken
import tenure.ApiAnswer
import tenure.Session
import tenure.TenureException

/**
 * Puts the session's access token on requests to the origins that the session allows; add it with
 * `OkHttpClient.Builder.addInterceptor`.
 *
 * An answer that refuses the token is asked for once more with a newer one, if there is one and the
 * body can be sent twice. Other origins get the request as it is.
 */
class TenureInterceptor(private val session: Session) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response {
        val request = chain.request()
        if (!session.allows(request.url().toString())) {
            return chain.proceed(request)
        }
        val token = waitFor { session.accessToken() }
        val answer = chain.proceed(request.authorized(token))
        val newer = waitFor { session.answered(token, answer.aboutToken(), request.repeatable()) }
        if (newer == null) {
            return answer
        }
        answer.close()
        val repeated = chain.proceed(request.authorized(newer))
        session.answeredAgain(newer, repeated.aboutToken())
        return repeated
    }
}

/** There is no token to send; [reason] says what to do. OkHttp hands on nothing but IOExceptions. */
class NoTokenException(val reason: TenureException) : IOException(reason)

/** No API says in more bytes why it refuses a token. */
private const val MOST = 64L * 1024

/** Only the body of a 403 is looked at; all others are left unread for their caller. */
private fun Response.aboutToken() = ApiAnswer(
    status = code().toUShort(),
    wwwAuthenticate = headers("WWW-Authenticate").joinToString(", ").ifEmpty { null },
    errorType = header("x-amzn-errortype"),
    body = if (code() == 403) peekBody(MOST).bytes() else ByteArray(0),
)

private fun Request.authorized(token: AccessToken): Request =
    newBuilder().header("Authorization", "Bearer ${token.expose()}").build()

/** Bodies of unknown length may be streams that can be read once. */
private fun Request.repeatable(): Boolean = body()?.let { it.contentLength() >= 0 } ?: true

private fun <T> waitFor(what: suspend () -> T): T =
    try {
        runBlocking { what() }
    } catch (reason: TenureException) {
        throw NoTokenException(reason)
    }
