"""The session for programs without an event loop. Any thread may call it."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import tenure
from tenure import AccessToken, ApiAnswer, Config, SignedOut, State

_T = TypeVar("_T")
_loops: dict[int, asyncio.AbstractEventLoop] = {}
_starting = threading.Lock()


class Session:
    """Blocks where :class:`tenure.Session` awaits."""

    def __init__(self, session: tenure.Session) -> None:
        """Wraps a session that is open already; both are the same one."""
        self.session = session

    @classmethod
    def open(cls, config: Config) -> "Session":
        return cls(wait(tenure.Session.open(config)))

    def access_token(self, min_ttl_ms: int = 0) -> AccessToken:
        return wait(self.session.access_token_with(min_ttl_ms))

    def access_token_instead_of(self, refused: AccessToken) -> AccessToken:
        return wait(self.session.access_token_instead_of(refused))

    def refused(self, token: AccessToken) -> None:
        self.session.refused(token)

    def answered(
        self, token: AccessToken, answer: ApiAnswer, repeatable: bool
    ) -> AccessToken | None:
        return wait(self.session.answered(token, answer, repeatable))

    def answered_again(self, token: AccessToken, answer: ApiAnswer) -> None:
        self.session.answered_again(token, answer)

    def allows(self, url: str) -> bool:
        return self.session.allows(url)

    def state(self) -> State:
        return self.session.state()

    def next_state(self, previous: State) -> State:
        return wait(self.session.next_state(previous))

    def sign_in_password(self, email: str, password: str) -> None:
        wait(self.session.sign_in_password(email, password))

    def sign_in_at(self, route: str, fields: dict[str, str]) -> None:
        wait(self.session.sign_in_at(route, fields))

    def sign_in_tokens(
        self, access_token: str, refresh_token: str, expires_in_s: int | None = None
    ) -> None:
        wait(self.session.sign_in_tokens(access_token, refresh_token, expires_in_s))

    def request_magic_link(self, email: str, redirect_uri: str | None = None) -> None:
        wait(self.session.request_magic_link(email, redirect_uri))

    def sign_in_magic_link(self, link: str) -> None:
        wait(self.session.sign_in_magic_link(link))

    def sign_in_code(self) -> "CodeSignIn":
        return CodeSignIn(wait(self.session.sign_in_code()))

    def sign_in_device(self) -> "DeviceSignIn":
        return DeviceSignIn(wait(self.session.sign_in_device()))

    def sign_out(self) -> SignedOut:
        return wait(self.session.sign_out())

    def settled(self) -> None:
        wait(self.session.settled())


class CodeSignIn:
    """Blocks where :class:`tenure.CodeSignIn` awaits."""

    def __init__(self, sign_in: tenure.CodeSignIn) -> None:
        self._sign_in = sign_in

    def url(self) -> str:
        return self._sign_in.url()

    def finish(self) -> None:
        wait(self._sign_in.finish())


class DeviceSignIn:
    """Blocks where :class:`tenure.DeviceSignIn` awaits."""

    def __init__(self, sign_in: tenure.DeviceSignIn) -> None:
        self._sign_in = sign_in

    def user_code(self) -> str:
        return self._sign_in.user_code()

    def verification_uri(self) -> str:
        return self._sign_in.verification_uri()

    def verification_uri_complete(self) -> str | None:
        return self._sign_in.verification_uri_complete()

    def wait(self) -> None:
        wait(self._sign_in.wait())


def wait(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Runs it on a loop of its own, so that it also works where another loop is running."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result()


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:
        # A child process has the parent's loop, but not the thread that runs it.
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            _loops[os.getpid()] = loop
            threading.Thread(target=loop.run_forever, name="tenure", daemon=True).start()
        return loop
