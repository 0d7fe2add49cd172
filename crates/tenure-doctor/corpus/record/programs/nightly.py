"""A job with requests-oauthlib: `nightly.py URL TOKEN_URL CLIENT`. It keeps its token in token.json. OPTIONS: `keeps`, `log`."""

import json
import logging
import os
import pathlib
import sys

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
from requests_oauthlib import OAuth2Session  # noqa: E402

options = json.loads(os.environ["OPTIONS"])
url, token_url, client, resource = sys.argv[1:5]
kept = pathlib.Path("token.json")
logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stdout)
for noisy in ("requests_oauthlib.oauth2_session", "oauthlib"):
    logging.getLogger(noisy).setLevel(logging.INFO)
log = logging.getLogger("nightly")


def keep(token):
    if options.get("keeps", True):
        kept.write_text(json.dumps(dict(token)))
        log.info("token.json written")
    else:
        log.info("token refreshed, expires in %s s", token["expires_in"])


token = json.loads(kept.read_text())
log.info("loaded token.json, written %s s ago", int(__import__("time").time() - kept.stat().st_mtime))
session = OAuth2Session(client, token=token, auto_refresh_url=token_url, auto_refresh_kwargs={"client_id": client, "resource": resource},
                        token_updater=keep)
try:
    for page in range(1, 4):
        answer = session.get(f"{url}?page={page}")
        log.info("page %d: %d, %d bytes", page, answer.status_code, len(answer.content))
        answer.raise_for_status()
    log.info("export finished")
except Exception:
    log.exception("export failed")
    sys.exit(1)
