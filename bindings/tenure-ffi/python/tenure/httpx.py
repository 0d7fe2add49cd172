"""The access token on the requests of an httpx client, sync or async."""

import typing

import httpx

import tenure
import tenure.sync
from tenure import AccessToken, ApiAnswer


class Auth(httpx.Auth):
    """Puts the session's access token on requests to the origins that the session allows.

    An answer that refuses the token is asked for once more with a newer one, if there is one and the
    body can be sent twice. Other origins get the request as it is.
    """

    def __init__(self, session: tenure.Session | tenure.sync.Session) -> None:
        blocking = isinstance(session, tenure.sync.Session)
        self._session = session.session if blocking else session

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> typing.Generator[httpx.Request, httpx.Response, None]:
        session = tenure.sync.Session(self._session)
        if not session.allows(str(request.url)):
            yield request
            return
        token = session.access_token()
        response = yield _authorized(request, token)
        if response.status_code == httpx.codes.FORBIDDEN:
            response.read()
        newer = session.answered(token, _answer(response), _repeatable(request))
        if newer is not None:
            response = yield _authorized(request, newer)
            if response.status_code == httpx.codes.FORBIDDEN:
                response.read()
            session.answered_again(newer, _answer(response))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> typing.AsyncGenerator[httpx.Request, httpx.Response]:
        session = self._session
        if not session.allows(str(request.url)):
            yield request
            return
        token = await session.access_token()
        response = yield _authorized(request, token)
        if response.status_code == httpx.codes.FORBIDDEN:
            await response.aread()
        newer = await session.answered(token, _answer(response), _repeatable(request))
        if newer is not None:
            response = yield _authorized(request, newer)
            if response.status_code == httpx.codes.FORBIDDEN:
                await response.aread()
            session.answered_again(newer, _answer(response))


def _authorized(request: httpx.Request, token: AccessToken) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.expose()}"
    return request


def _repeatable(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)


def _answer(response: httpx.Response) -> ApiAnswer:
    return ApiAnswer(
        status=response.status_code,
        www_authenticate=response.headers.get("WWW-Authenticate"),
        error_type=response.headers.get("x-amzn-errortype"),
        # Only a 403 is read here: there the body may name the token.
        body=response.content if response.status_code == httpx.codes.FORBIDDEN else b"",
    )
