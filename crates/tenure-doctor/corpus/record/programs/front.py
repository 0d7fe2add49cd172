"""A front server that passes calls on with `requests`, under gunicorn or uWSGI; UPSTREAM is the API's address."""

import os

import requests


def application(environ, start_response):
    headers = {name: environ[key] for key, name in (("HTTP_AUTHORIZATION", "Authorization"), ("HTTP_USER_AGENT", "User-Agent")) if key in environ}
    url = f"http://{os.environ['UPSTREAM']}{environ.get('PATH_INFO', '/')}"
    answer = requests.request(environ["REQUEST_METHOD"], url, headers=headers, params=environ.get("QUERY_STRING") or None, timeout=10)
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() in ("content-type", "www-authenticate", "cache-control")]
    start_response(f"{answer.status_code} {answer.reason or 'OK'}", [*kept, ("Content-Length", str(len(answer.content)))])
    return [answer.content]
