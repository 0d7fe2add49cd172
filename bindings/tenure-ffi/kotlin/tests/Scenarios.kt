/*
 * What the tests do in Kotlin: `Scenarios NAME`, with ISSUER, OTHER and DIRECTORY in the environment.
 * A line on stdout is a step that was reached; a line on stdin lets it go on.
 */

import java.io.File
import java.net.HttpURLConnection
import java.net.URI
import kotlin.system.exitProcess
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import okhttp3.MediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody
import okio.BufferedSink
import tenure.Config
import tenure.Endpoint
import tenure.Header
import tenure.HttpRequest
import tenure.HttpResponse
import tenure.KeyValue
import tenure.Session
import tenure.SignedOut
import tenure.State
import tenure.StorageException
import tenure.TenureException
import tenure.Transport
import tenure.TransportException
import tenure.Vault
import tenure.okhttp.TenureInterceptor
import tenure.states

private val ISSUER: String = System.getenv("ISSUER")
private val DIRECTORY = File(System.getenv("DIRECTORY"))
private const val EMAIL = "demo@example.com"
private const val PASSWORD = "demo-password"
private const val LIMIT = 100

private suspend fun opened(vault: Vault, transport: Transport? = null): Session =
    Session.open(Config(issuer = ISSUER, clientId = "demo", vault = vault, transport = transport))

private suspend fun signedIn(vault: Vault, transport: Transport? = null): Session {
    val session = opened(vault, transport)
    session.signInPassword(EMAIL, PASSWORD)
    check(session.state() is State.Active) { session.state() }
    return session
}

private fun onDisk() = Vault.Directory(DIRECTORY.resolve("vault").path)

private suspend fun hear(word: String) {
    val line = withContext(Dispatchers.IO) { readLine() }
    check(line == word) { "heard $line" }
}

private suspend fun cancelledCaller() = coroutineScope {
    val session = signedIn(onDisk())
    val old = session.accessToken()
    session.refused(old)
    val asking = async(Dispatchers.Default) { session.accessToken() }
    hear("cancel")
    asking.cancel()
    try {
        asking.await()
        error("it was not cancelled")
    } catch (_: CancellationException) {
        println("cancelled")
    }
    session.settled()
    val new = session.accessToken()
    check(new.expose() != old.expose())
    println(new.expose())
}

private suspend fun reopened() {
    val session = opened(onDisk())
    check(session.state() is State.Active) { session.state() }
    println(session.accessToken().expose())
}

/** Small values as files, behind a lock that can be turned. */
private class Files : KeyValue {
    var trouble: Exception? = null
    private val folder = DIRECTORY.resolve("values").apply { mkdir() }

    private fun file(name: String): File {
        trouble?.let { throw it }
        return folder.resolve(name)
    }

    override fun read(name: String): ByteArray? =
        file(name).takeIf { it.exists() }?.readBytes()

    override fun write(name: String, value: ByteArray) {
        check(value.size <= LIMIT)
        file(name).writeBytes(value)
    }

    override fun remove(name: String) {
        file(name).delete()
    }

    override fun limit(): ULong = LIMIT.toULong()
}

private fun foreign(values: KeyValue) = Vault.Foreign(values, DIRECTORY.resolve("locks").path)

private suspend fun foreignVault() {
    val token = signedIn(foreign(Files())).accessToken().expose()
    check(opened(foreign(Files())).accessToken().expose() == token)
    val values = Files()
    val troubles = listOf(StorageException.Locked("asks for a PIN"), IllegalStateException("a bug"))
    for (trouble in troubles) {
        values.trouble = trouble
        val locked = opened(foreign(values))
        check(locked.state() is State.StorageLocked) { locked.state() }
        val error = failure<TenureException.StorageUnavailable> { locked.accessToken() }
        check("PIN" in error.detail || "a bug" in error.detail) { error.detail }
    }
    println(token)
}

/** Another HTTP client; `trouble` stands for a bad network. */
private class Connections : Transport {
    val sent = mutableListOf<String>()
    var trouble: Exception? = null

    override fun send(request: HttpRequest): HttpResponse {
        sent.add(request.url())
        check(PASSWORD !in request.toString())
        trouble?.let { throw it }
        val connection = URI(request.url()).toURL().openConnection() as HttpURLConnection
        connection.instanceFollowRedirects = false
        connection.requestMethod = request.method()
        request.headers().forEach { connection.addRequestProperty(it.name, it.value) }
        if (request.body().isNotEmpty()) {
            connection.doOutput = true
            connection.outputStream.use { it.write(request.body()) }
        }
        val status = connection.responseCode
        val body = (if (status < 400) connection.inputStream else connection.errorStream)
        val headers = connection.headerFields.filterKeys { it != null }
            .flatMap { (name, values) -> values.map { Header(name, it) } }
        return HttpResponse(status.toUShort(), headers, body?.readBytes() ?: ByteArray(0))
    }
}

private suspend fun foreignTransport() {
    val transport = Connections()
    val session = signedIn(Vault.Memory, transport)
    val new = session.accessTokenInsteadOf(session.accessToken())
    check("$ISSUER/oauth2/token" in transport.sent) { transport.sent }
    val troubles = listOf(
        TransportException.Timeout() to "no answer in time",
        TransportException.Tls() to "TLS failed",
        IllegalStateException("a bug") to "connection lost",
    )
    for ((trouble, detail) in troubles) {
        val broken = Connections().apply { this.trouble = trouble }
        val error = failure<TenureException.Transient> {
            opened(Vault.Memory, broken).signInPassword(EMAIL, PASSWORD)
        }
        check(detail in error.detail) { error.detail }
    }
    println(new.expose())
}

private suspend fun errors() {
    val empty = opened(Vault.Memory)
    val never = failure<TenureException.SignInRequired> { empty.accessToken() }
    check(never.reason == "never_signed_in") { never.reason }
    val wrong = failure<TenureException.SignInRefused> { empty.signInPassword(EMAIL, "wrong") }
    check(wrong.code == "invalid_credentials") { wrong.code }
    failure<TenureException.Misconfigured> {
        Session.open(Config("http://id.example.com", "demo", Vault.Memory))
    }
    val nobody = Session.open(Config("http://127.0.0.1:1", "demo", Vault.Memory))
    failure<TenureException.Transient> { nobody.signInPassword(EMAIL, PASSWORD) }
    val session = signedIn(Vault.Memory)
    val second = session.accessTokenInsteadOf(session.accessToken())
    val refused = failure<TenureException.Refused> { session.accessTokenInsteadOf(second) }
    check("issuer, audience and keys" in refused.hint) { refused.hint }
    check(session.state() is State.Refused) { session.state() }
    check(session.signOut() == SignedOut.REVOKED)
    val ended = failure<TenureException.SignInRequired> { session.accessToken() }
    check(ended.reason == "logged_out") { ended.reason }
    check(second.expose() !in second.toString())
}

private suspend fun handWrittenRoutes() {
    val endpoint = Endpoint.Json(
        refresh = "/api/auth/refresh",
        accessToken = "access_token",
        refreshToken = "refresh_token",
        expiresIn = "expires_in",
        ends = listOf("invalid_grant"),
    )
    val session = Session.open(Config(ISSUER, "demo", Vault.Memory, endpoint = endpoint))
    val fields = mapOf("email" to EMAIL, "password" to PASSWORD, "client_id" to "demo")
    session.signInAt("/api/auth/login", fields)
    println(session.accessTokenInsteadOf(session.accessToken()).expose())
}

private suspend fun followedState() = coroutineScope {
    val session = opened(Vault.Memory)
    val states = session.states(this)
    check(states.value is State.SignedOut) { states.value }
    session.signInPassword(EMAIL, PASSWORD)
    states.first { it is State.Active }
    coroutineContext.cancel()
}

private inline fun <reified E : TenureException> failure(attempt: () -> Unit): E =
    try {
        attempt()
        error("no ${E::class}")
    } catch (failed: TenureException) {
        check(failed is E) { failed }
        failed
    }

private suspend fun adapter() {
    val text = MediaType.parse("text/plain")
    val twice = RequestBody.create(text, "twice")
    val once = object : RequestBody() {
        override fun contentType() = text
        override fun writeTo(sink: BufferedSink) {
            sink.writeUtf8("once")
        }
    }
    suspend fun ask(url: String, body: RequestBody? = null): Int {
        val session = signedIn(Vault.Memory)
        val client = OkHttpClient.Builder().addInterceptor(TenureInterceptor(session)).build()
        val request = Request.Builder().url(url)
        val call = client.newCall((body?.let { request.post(it) } ?: request).build())
        return withContext(Dispatchers.IO) { call.execute() }.use { it.code() }
    }
    check(ask("$ISSUER/api/auth/me") == 200)
    check(ask("$ISSUER/twice", twice) == 404)
    check(ask("$ISSUER/once", once) == 401)
    check(ask("$ISSUER/forbidden") == 403)
    check(ask(System.getenv("OTHER") + "/api/auth/me") == 401)
}

fun main(arguments: Array<String>) {
    runBlocking {
        when (val name = arguments.single()) {
            "cancelled_caller" -> cancelledCaller()
            "reopened" -> reopened()
            "foreign_vault" -> foreignVault()
            "foreign_transport" -> foreignTransport()
            "errors" -> errors()
            "hand_written_routes" -> handWrittenRoutes()
            "states" -> try { followedState() } catch (_: CancellationException) { }
            "adapter" -> adapter()
            else -> error("no scenario $name")
        }
    }
    println("done")
    exitProcess(0)
}
