"""A signed-in session that no crash, race or bad network ends.

Everything here is for asyncio; :mod:`tenure.sync` has the same for programs without an event loop,
:mod:`tenure.httpx` puts the access token on requests. A call that is cancelled ends its own wait and
nothing else: a refresh that has begun is finished and saved. Open sessions after forking, not before.
"""

import atexit
from collections.abc import AsyncIterator

from .tenure_ffi import (
    AccessToken,
    ApiAnswer,
    CodeSignIn,
    Config,
    DeviceSignIn,
    Endpoint,
    Header,
    HttpRequest,
    HttpResponse,
    KeyValue,
    Session,
    SignedOut,
    State,
    StorageError,
    TenureError,
    Transport,
    TransportError,
    Vault,
    shut_down,
)

__all__ = [
    "AccessToken",
    "ApiAnswer",
    "CodeSignIn",
    "Config",
    "DeviceSignIn",
    "Endpoint",
    "Header",
    "HttpRequest",
    "HttpResponse",
    "KeyValue",
    "Session",
    "SignedOut",
    "State",
    "StorageError",
    "TenureError",
    "Transport",
    "TransportError",
    "Vault",
    "states",
]


# A thread of the library that called into an interpreter that is gone would abort the process.
atexit.register(shut_down)


async def states(session: Session) -> AsyncIterator[State]:
    """The session's state now, and each one that it comes to while somebody iterates."""
    state = session.state()
    while True:
        yield state
        state = await session.next_state(state)
