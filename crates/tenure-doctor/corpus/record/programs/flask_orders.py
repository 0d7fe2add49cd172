"""An orders API with Flask and PyJWT; OPTIONS (JSON in the environment) says what is wrong."""

import json
import os

import jwt
from flask import Flask, jsonify, request

DEFAULTS = {"secret": "", "audience": "orders-api", "carrier": "bearer", "cors_on": "none"}
OPTIONS = DEFAULTS | json.loads(os.environ["OPTIONS"])
app = Flask(__name__)


class Refused(Exception):
    def __init__(self, status, error, text):
        super().__init__(text)
        self.status, self.error = status, error


@app.errorhandler(Refused)
def refused(error):
    answer = jsonify(error=error.error, error_description=str(error))
    answer.headers["WWW-Authenticate"] = f'Bearer realm="orders", error="{error.error}"'
    return answer, error.status


def presented():
    """The token as RFC 6750 has it, or as `carrier` has it."""
    field = request.headers.get("Authorization", "")
    if OPTIONS["carrier"] == "raw":
        return field
    in_query = request.args.get("access_token")
    if in_query and field:
        raise Refused(400, "invalid_request", "more than one method for transmitting the token")
    if in_query:
        return in_query
    scheme, _, token = field.partition(" ")
    wanted = "token" if OPTIONS["carrier"] == "token" else "bearer"
    return token if scheme.lower() == wanted else ""


@app.route("/orders", methods=["GET", "POST"])
def orders():
    token = presented()
    if not token:
        raise Refused(401, "invalid_request", "no token")
    try:
        claims = jwt.decode(token, OPTIONS["secret"], ["HS256"], audience=OPTIONS["audience"])
    except jwt.PyJWTError as error:
        raise Refused(401, "invalid_token", str(error)) from error
    return jsonify(orders=[17, 18], user=claims["sub"])


@app.after_request
def cors(answer):
    if request.headers.get("Origin") and OPTIONS["cors_on"] != "none" and answer.status_code < 400:
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Access-Control-Allow-Headers"] = "authorization"
    return answer


app.run("127.0.0.1", OPTIONS["port"])
