"""Logs in the formats of hosted gateways and issuers, with what goes on around the fault."""

import dataclasses
import json
import random
import time
import uuid

from lab import documented as documented_lab
from lab.common import RECORDINGS


def documented(id, *, logs=None, **more):
    """As `documented_lab.documented`; each log may be a function that makes its text."""
    if logs:
        more["logs"] = lambda: {name: text() if callable(text) else text for name, text in logs.items()}
    documented_lab.documented(id, **more)
    declared = RECORDINGS[id]
    RECORDINGS[id] = dataclasses.replace(declared, record=lambda lab: addressed(declared.record(lab)))


def addressed(given):
    """With the issuer's own addresses where the issuer is asked."""
    issuer = given.get("target", {}).get("issuer")
    for exchange in given.get("exchanges", []):
        if exchange["probe"] in PLACES:
            exchange["request"]["url"] = f"{issuer}/{PLACES[exchange['probe']]}"
    return given


PLACES = {"discovery": ".well-known/openid-configuration", "jwks": "jwks.json"}


class Day:
    """Moments and made-up people, the same in each recording."""

    def __init__(self, seed, start="2026-11-20T08:00:00"):
        self.chance = random.Random(seed)
        self.at = time.mktime(time.strptime(start, "%Y-%m-%dT%H:%M:%S")) - time.timezone

    def on(self, least=0.4, most=40.0):
        """Goes on by some seconds."""
        self.at += self.chance.uniform(least, most)
        return self

    def iso(self, digits=3):
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.at))
        return f"{text}.{int(self.at % 1 * 10 ** digits):0{digits}}Z" if digits else f"{text}Z"

    def clf(self):
        return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(self.at))

    def id(self):
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def short(self):
        return "".join(self.chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=11)) + "FiAMEjg="

    def ip(self):
        return f"{self.chance.choice(('203.0.113', '198.51.100'))}.{self.chance.randint(2, 250)}"

    def pick(self, *these):
        return self.chance.choice(these)


class Execution:
    """CloudWatch execution log of an API Gateway REST API; one method call after the other."""

    API, STAGE = "a1b2c3d4e5", "prod"

    def __init__(self, seed):
        self.day, self.lines = Day(seed), []

    def begin(self):
        self.day.on(0.2, 25)
        self.request = self.day.id()
        return self.say(f"Extended Request Id: {self.day.short()}")

    def say(self, *texts):
        for text in texts:
            self.day.on(0.0005, 0.004)
            self.lines.append(f"{self.day.iso()} ({self.request}) {text}")
        return self

    def authorize(self, effect="Allow", who="4f2a"):
        policy = {"principalId": f"auth0|6{who}", "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Action": "execute-api:Invoke", "Effect": effect, "Resource": f"arn:aws:execute-api:eu-west-1:111122223333:{self.API}/{self.STAGE}/*/*"}]}}
        return self.starting(who).say(f"Authorizer result body before parsing: {json.dumps(policy, separators=(',', ':'))}",
                                      f"Using valid authorizer policy for principal: ********{who}", "Successfully completed authorizer execution")

    def starting(self, who="4f2a"):
        uri = "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:shop-authorizer/invocations"
        return self.say(f"Starting authorizer: k7m2p9 for request: {self.request}", f"Incoming identity: {'*' * 60}{who}", f"Endpoint request URI: {uri}")

    def plan(self):
        stage = f"{self.API}/{self.STAGE}"
        return self.say(f"Verifying Usage Plan for request: {self.request}. API Key:  API Stage: {stage}",
                        "API Key  authorized because method 'GET /orders' does not require API Key. Request will not contribute to throttle or quota limits",
                        f"Usage Plan check succeeded for API Key  and API Stage {stage}")

    def served(self, status=200):
        return self.say(f"Starting execution for request: {self.request}", "HTTP Method: GET, Resource Path: /orders",
                        f"Received response. Status: {status}, Integration latency: {self.day.chance.randint(9, 80)} ms",
                        "Successfully completed execution", f"Method completed with status: {status}")

    def good(self, times=1):
        for _ in range(times):
            self.begin().authorize(who=self.day.pick("4f2a", "91bc", "03de", "77aa")).plan().served()
        return self

    def text(self):
        return "\n".join(self.lines) + "\n"


def access(seed, requests, more=lambda _line, _day: None, **fields):
    """JSON access log of API Gateway; `requests` are (how often, fields) shuffled together."""
    day, made = Day(seed), []
    turns = [found for times, found in requests for _ in range(times)]
    day.chance.shuffle(turns)
    for found in turns:
        day.on()
        line = {"requestId": day.id(), "extendedRequestId": day.short(), "ip": day.ip(), "requestTime": day.clf(), "httpMethod": "GET",
                "resourcePath": "/orders", "status": "200", "protocol": "HTTP/1.1", "responseLength": str(day.chance.randint(60, 4000)),
                "userAgent": day.pick("okhttp/4.12.0", "Shop/4.2 (iPhone; iOS 18.1)", "axios/1.7.7"), **fields, **found}
        more(line, day)
        made.append(json.dumps(line))
    return "\n".join(made) + "\n"
