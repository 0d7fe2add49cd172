"""What the tests do in Python: `scenarios.py NAME`, with ISSUER, OTHER and DIRECTORY in the environment.

A line on stdout is a step that was reached; a line on stdin lets it go on.
"""

import asyncio
import contextlib
import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

import httpx
import tenure
import tenure.httpx
import tenure.sync
from tenure import Config, Header, HttpResponse, KeyValue, State, StorageError, TenureError
from tenure import Transport, TransportError, Vault

ISSUER = os.environ["ISSUER"]
DIRECTORY = pathlib.Path(os.environ["DIRECTORY"])
EMAIL, PASSWORD = "demo@example.com", "demo-password"
LIMIT = 100


async def opened(vault, **more):
    return await tenure.Session.open(
        Config(issuer=ISSUER, client_id="demo", vault=vault, **more)
    )


async def signed_in(vault, **more):
    session = await opened(vault, **more)
    await session.sign_in_password(EMAIL, PASSWORD)
    assert isinstance(session.state(), State.ACTIVE), session.state()
    return session


def on_disk():
    return Vault.DIRECTORY(path=str(DIRECTORY / "vault"))


def tell(*words):
    print(*words, flush=True)


async def hear(word):
    line = await asyncio.to_thread(sys.stdin.readline)
    assert line.strip() == word, line


async def cancelled_caller():
    session = await signed_in(on_disk())
    old = await session.access_token()
    session.refused(old)
    asking = asyncio.create_task(session.access_token())
    await hear("cancel")
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    assert asking.cancelled()
    tell("cancelled")
    await session.settled()
    new = await session.access_token()
    assert new.expose() != old.expose()
    tell(new.expose())


async def reopened():
    session = await opened(on_disk())
    assert isinstance(session.state(), State.ACTIVE), session.state()
    tell((await session.access_token()).expose())


class Files(KeyValue):
    """Small values as files, behind a lock that can be turned."""

    def __init__(self):
        self.trouble = None
        self.folder = DIRECTORY / "values"
        self.folder.mkdir(exist_ok=True)

    def _open(self):
        if self.trouble is not None:
            raise self.trouble

    def read(self, name):
        self._open()
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / name).read_bytes()

    def write(self, name, value):
        self._open()
        assert len(value) <= LIMIT, len(value)
        (self.folder / name).write_bytes(value)

    def remove(self, name):
        self._open()
        (self.folder / name).unlink(missing_ok=True)

    def limit(self):
        return LIMIT


def foreign(values):
    return Vault.FOREIGN(values=values, directory=str(DIRECTORY / "locks"))


async def foreign_vault():
    session = await signed_in(foreign(Files()))
    token = (await session.access_token()).expose()
    again = await opened(foreign(Files()))
    assert (await again.access_token()).expose() == token
    values = Files()
    for trouble in (StorageError.Locked("asks for a PIN"), ValueError("a bug")):
        values.trouble = trouble
        locked = await opened(foreign(values))
        assert isinstance(locked.state(), State.STORAGE_LOCKED), locked.state()
        error = await failure(locked.access_token(), TenureError.StorageUnavailable)
        assert str(trouble.args[0]) in error.detail or "PIN" in error.detail, error.detail
    tell(token)


class Urllib(Transport):
    """Another HTTP client; `trouble` stands for a bad network."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self):
        self.opener = urllib.request.build_opener(self.Stay)
        self.sent = []
        self.trouble = None

    def send(self, request):
        self.sent.append(request.url())
        assert PASSWORD not in str(request) + repr(request)
        if self.trouble is not None:
            raise self.trouble
        outward = urllib.request.Request(
            request.url(),
            data=request.body() or None,
            headers={header.name: header.value for header in request.headers()},
            method=request.method(),
        )
        try:
            answer = self.opener.open(outward)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            headers = [Header(name=name, value=value) for name, value in answer.headers.items()]
            return HttpResponse(answer.status, headers, answer.read())


async def foreign_transport():
    transport = Urllib()
    session = await signed_in(Vault.MEMORY(), transport=transport)
    old = await session.access_token()
    new = await session.access_token_instead_of(old)
    assert f"{ISSUER}/oauth2/token" in transport.sent, transport.sent
    for trouble, detail in (
        (TransportError.Timeout(), "no answer in time"),
        (TransportError.Tls(), "TLS failed"),
        (ValueError("a bug"), "connection lost"),
    ):
        broken = Urllib()
        broken.trouble = trouble
        session = await opened(Vault.MEMORY(), transport=broken)
        error = await failure(session.sign_in_password(EMAIL, PASSWORD), TenureError.Transient)
        assert detail in error.detail, error.detail
    tell(new.expose())


async def errors():
    empty = await opened(Vault.MEMORY())
    error = await failure(empty.access_token(), TenureError.SignInRequired)
    assert error.reason == "never_signed_in", error.reason
    error = await failure(empty.sign_in_password(EMAIL, "wrong"), TenureError.SignInRefused)
    assert error.code == "invalid_credentials", error.code
    plain = Config(issuer="http://id.example.com", client_id="demo", vault=Vault.MEMORY())
    await failure(tenure.Session.open(plain), TenureError.Misconfigured)
    nobody = Config(issuer="http://127.0.0.1:1", client_id="demo", vault=Vault.MEMORY())
    nobody = await tenure.Session.open(nobody)
    await failure(nobody.sign_in_password(EMAIL, PASSWORD), TenureError.Transient)
    session = await signed_in(Vault.MEMORY())
    second = await session.access_token_instead_of(await session.access_token())
    error = await failure(session.access_token_instead_of(second), TenureError.Refused)
    assert "issuer, audience and keys" in error.hint, error.hint
    assert isinstance(session.state(), State.REFUSED), session.state()
    assert await session.sign_out() == tenure.SignedOut.REVOKED
    error = await failure(session.access_token(), TenureError.SignInRequired)
    assert error.reason == "logged_out", error.reason
    assert second.expose() not in str(second) + repr(second)


async def hand_written_routes():
    endpoint = tenure.Endpoint.JSON(
        refresh="/api/auth/refresh",
        access_token="access_token",
        refresh_token="refresh_token",
        expires_in="expires_in",
        ends=["invalid_grant"],
    )
    session = await opened(Vault.MEMORY(), endpoint=endpoint)
    fields = {"email": EMAIL, "password": PASSWORD, "client_id": "demo"}
    await session.sign_in_at("/api/auth/login", fields)
    tell((await session.access_token_instead_of(await session.access_token())).expose())


async def states():
    session = await opened(Vault.MEMORY())
    seen = []

    async def watch():
        async for state in tenure.states(session):
            seen.append(type(state).__name__.removeprefix("State."))
            if isinstance(state, State.ACTIVE):
                return

    watching = asyncio.create_task(watch())
    await session.sign_in_password(EMAIL, PASSWORD)
    await watching
    assert (seen[0], seen[-1]) == ("SIGNED_OUT", "ACTIVE"), seen


class Busy(Urllib):
    """Does not let go of the interpreter for long, also while that ends."""

    def __init__(self):
        super().__init__()
        self.begun = threading.Event()

    def send(self, request):
        self.begun.set()
        for _ in range(500):
            time.sleep(0.001)
        raise TransportError.Timeout()


async def ends_during_a_request():
    transport = Busy()
    session = await opened(Vault.MEMORY(), transport=transport)
    signing_in = asyncio.create_task(session.sign_in_password(EMAIL, PASSWORD))
    await asyncio.to_thread(transport.begun.wait)
    signing_in.cancel()


async def failure(awaitable, kind):
    try:
        await awaitable
    except TenureError as error:
        assert isinstance(error, kind), repr(error)
        return error
    raise AssertionError(f"no {kind}")


async def adapter():
    async def parts():
        yield b"once"

    async def ask(method, url, **more):
        auth = tenure.httpx.Auth(await signed_in(Vault.MEMORY()))
        async with httpx.AsyncClient(auth=auth) as client:
            return (await client.request(method, url, **more)).status_code

    assert await ask("GET", f"{ISSUER}/api/auth/me") == 200
    assert await ask("POST", f"{ISSUER}/twice", content=b"twice") == 404
    assert await ask("POST", f"{ISSUER}/once", content=parts()) == 401
    assert await ask("GET", f"{ISSUER}/forbidden") == 403
    assert await ask("GET", f"{os.environ['OTHER']}/api/auth/me") == 401


def adapter_sync():
    def ask(method, url, **more):
        session = tenure.sync.Session.open(
            Config(issuer=ISSUER, client_id="demo", vault=Vault.MEMORY())
        )
        session.sign_in_password(EMAIL, PASSWORD)
        with httpx.Client(auth=tenure.httpx.Auth(session)) as client:
            return client.request(method, url, **more).status_code

    assert ask("GET", f"{ISSUER}/api/auth/me") == 200
    assert ask("POST", f"{ISSUER}/twice", content=b"twice") == 404
    assert ask("POST", f"{ISSUER}/once", content=iter([b"once"])) == 401
    assert ask("GET", f"{ISSUER}/forbidden") == 403
    assert ask("GET", f"{os.environ['OTHER']}/api/auth/me") == 401


scenario = globals()[sys.argv[1]]
if asyncio.iscoroutinefunction(scenario):
    asyncio.run(scenario())
else:
    scenario()
tell("done")
