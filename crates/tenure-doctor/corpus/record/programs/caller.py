"""A client with httpx: OPTIONS.url, `token`, `count`, `follow`; its log is httpx' own."""

import json
import logging
import os
import sys

import httpx

options = json.loads(os.environ["OPTIONS"])
logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
log = logging.getLogger("sync")
token = options["token"]
try:
    with httpx.Client(base_url=options["url"], headers={"Authorization": f"Bearer {token}"}, follow_redirects=options.get("follow", True),
                      verify=False) as client:
        for number in range(options.get("count", 3)):
            answer = client.get(options.get("path", "/orders"), params={"page": number + 1})
            log.info("page %d: %d", number + 1, answer.status_code)
            answer.raise_for_status()
except Exception:
    log.exception("sync failed")
    sys.exit(1)
