"""Single requests that the recorder's probes do not cover, as exchanges; and exchanges at another time."""

import contextlib
import email.utils
import http.client
import json
import time
import urllib.error
import urllib.request


def ask(port, method, path, *, body=None, form=None, headers=None, timeout=10):
    """(status, header fields, text) of one request on a connection of its own; a body that is no text is sent as JSON."""
    sent = dict(headers or {})
    if body is not None:
        sent.setdefault("content-type", "application/json")
    elif form is not None:
        sent.setdefault("content-type", "application/x-www-form-urlencoded")
        body = form
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as connection:
        connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), sent)
        answered = connection.getresponse()
        return answered.status, answered.getheaders(), answered.read().decode(errors="replace")


def sent(probe, url, data=None, headers=None, method=None):
    """Sends one request, and answers it as an exchange of this probe."""
    headers = dict(headers or {})
    request = urllib.request.Request(url, data, headers, method=method)
    began, at = time.monotonic(), int(time.time())
    try:
        with urllib.request.urlopen(request) as answered:
            code, fields, body = answered.status, answered.getheaders(), answered.read()
    except urllib.error.HTTPError as refused:
        code, fields, body = refused.code, refused.headers.items(), refused.read()
    return {
        "probe": probe, "at": at, "took_ms": int((time.monotonic() - began) * 1000), "address": "127.0.0.1",
        "request": {"method": request.get_method(), "url": url, "body_bytes": len(data or b""),
                    "headers": [[name.lower(), value] for name, value in headers.items()]},
        "result": {"Ok": {"status": code, "headers": [[name.lower(), value] for name, value in fields],
                          "body": body.decode()[:4096], "body_bytes": len(body)}},
    }


def later(exchanges, seconds):
    """The same exchanges as if all clocks had been so far on as the service's own was put forward."""
    for exchange in exchanges:
        exchange["at"] += seconds
        for field in exchange["result"].get("Ok", {}).get("headers", []):
            if field[0] == "date":
                at = email.utils.parsedate_to_datetime(field[1]).timestamp() + seconds
                field[1] = email.utils.formatdate(at, usegmt=True)
    return exchanges
