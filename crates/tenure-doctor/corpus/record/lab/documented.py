"""Exchanges written after a documented answer: what the document makes certain, and nothing beyond it."""

import time

from lab.common import case, inputs, target
from lab.tokens import Key, claims

ISSUER = "https://auth.example.test"
KEY = Key("ES256", kid="doc-1")


def token(issuer=ISSUER, key=KEY, **more) -> str:
    """A token issued a minute ago."""
    return key.token(**claims(issuer, **more))


def altered(text: str) -> str:
    """With another end of its signature."""
    return text[:-6] + ("AAAAAA" if not text.endswith("AAAAAA") else "BBBBBB")


def json_(status: int, body: str, **headers) -> tuple:
    """A JSON answer; header names with `_` for `-`."""
    return status, {"content-type": "application/json", **dashed(headers)}, body


def text(status: int, body: str, **headers) -> tuple:
    """A text answer."""
    return status, {"content-type": "text/plain", **dashed(headers)}, body


def html(status: int, body: str, **headers) -> tuple:
    """A page."""
    return status, {"content-type": "text/html", **dashed(headers)}, body


def empty(status: int, **headers) -> tuple:
    """No body."""
    return status, dashed(headers), ""


def dashed(headers: dict) -> dict:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def exchanges(url: str, presented: str | None, answers: dict, *, method="GET", old=None, other=None, took=None) -> list:
    """One for each probe of `answers` (`_` for `-`): (status, headers, body)."""
    carried = {"bare": None, "empty": "Bearer ", "garbage": "Bearer x", "old": f"Bearer {old}", "other-token": f"Bearer {other}",
               "altered": presented and f"Bearer {altered(presented)}", "bare-fresh": None, "bare-other-path": None,
               "preflight": None, "bare-origin": None, "refresh": None, "discovery": None, "jwks": None}
    made, at = [], int(time.time())
    for number, (name, answer) in enumerate(answers.items()):
        probe = name.replace("_", "-")
        status, headers, body = answer
        field = carried.get(probe, f"Bearer {presented}" if presented else None)
        sent = {"method": METHODS.get(probe, method), "url": URLS.get(probe, lambda url: url)(url),
                "headers": [["accept", "*/*"], *([["authorization", field]] if field else [])], "body_bytes": BODIES.get(probe, 0)}
        answered = {"status": status, "headers": [[key, value] for key, value in headers.items()], "body": body, "body_bytes": len(body)}
        made.append({"probe": probe, "request": sent, "result": {"Ok": answered}, "at": at + number, "took_ms": (took or {}).get(name, 20)})
    return made


METHODS = {"preflight": "OPTIONS", "refresh": "POST", "other-method": "HEAD"}
BODIES = {"small-body": 1024, "large-body": 9216, "refresh": 64}
URLS = {"other-path": lambda url: url.rsplit("/", 1)[0] + "/tenure-0d0c11", "fresh": lambda url: url + "?tenure=0d0c11",
        "bare-fresh": lambda url: url + "?tenure=0d0c11", "bare-other-path": lambda url: url.rsplit("/", 1)[0] + "/tenure-0d0c11"}


def documented(id, *, family, expected, source, fault, settling=True, url="https://api.example.test/v1/orders", answers=None,
               presented="default", method="GET", origin=None, old=None, other=None, took=None, issuer=None, **given) -> None:
    """Declares a case. `answers` may be left out where there are only logs (`logs`, `files`, `keys`)."""

    def record(_lab):
        shown = token() if presented == "default" else presented
        texts = {name: value() if callable(value) else value for name, value in given.items()}
        if answers is None:
            return inputs(token=None if presented == "default" else shown, **texts)
        made = exchanges(url, shown, answers, method=method, old=old, other=other, took=took)
        return inputs(token=shown, old_token=old, other_token=other, target=target(url, method, origin, issuer), exchanges=made, **texts)

    case(id, family=family, expected=expected, settling=settling, documented=source, fault=fault)(record)
