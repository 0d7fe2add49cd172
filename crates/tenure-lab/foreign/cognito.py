"""Administers a Cognito emulator with botocore, as `aws cognito-idp` does.

Reads one JSON line {"do": ACTION, "with": PARAMETERS} at a time and writes one JSON line, the answer.

    python cognito.py http://127.0.0.1:PORT
"""

import json
import sys

import botocore.session
from botocore.config import Config

client = botocore.session.get_session().create_client(
    "cognito-idp",
    region_name="us-east-1",
    endpoint_url=sys.argv[1],
    # The emulator's own, public test credentials.
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(retries={"max_attempts": 0}),
)
for line in sys.stdin:
    command = json.loads(line)
    answer = client._make_api_call(command["do"], command["with"])
    print(json.dumps(answer, default=str), flush=True)
