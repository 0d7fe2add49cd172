"""What PyJWT says of tokens. Reads one job as JSON on stdin, writes a list with null for a token that it
accepts, else its error's text. The job's time is the clock."""

import datetime
import json
import sys

import jwt
import jwt.api_jwt

job = json.load(sys.stdin)


class Clock(datetime.datetime):
    """The moment of the job."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(job["now"], tz)


jwt.api_jwt.datetime = Clock


def said(token):
    try:
        jwt.decode(
            token,
            job["pem"],
            algorithms=["ES256"],
            issuer=job["issuer"],
            audience=job["audience"],
        )
    except jwt.PyJWTError as error:
        return str(error)
    return None


json.dump({"pyjwt": [said(token) for token in job["tokens"]]}, sys.stdout)
