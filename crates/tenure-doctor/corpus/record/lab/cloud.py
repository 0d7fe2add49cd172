"""An AWS account in miniature: `ministack` as a process, and what the cases build in it."""

import io
import json
import re
import sys
import urllib.request
import zipfile

import botocore.session
from botocore.config import Config
from lab.common import PROGRAMS, record, target

REGION = "us-east-1"
DOMAIN = f"{REGION}.amazonaws.com"
ACCOUNT = "000000000000"
REST = "ministack 1.5.33 (API Gateway REST API, Cognito)"
HTTP = "ministack 1.5.33 (API Gateway HTTP API, Cognito)"

SESSION = botocore.session.get_session()


class Cloud:
    """One emulator; `auth` makes it check the signatures and resource policies of AWS."""

    def __init__(self, lab, auth=False):
        self.lab, self.clock = lab, lab.write("clock", "0")
        self.port = lab.port()
        environment = {
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "HOME": str(lab.folder),
            "MINISTACK_HOST": DOMAIN, "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
            "AUTH": "true" if auth else "false",
            "SERVICES": "cognito-idp,apigateway,apigatewayv2,ssm,cloudformation,lambda,iam,sts,logs",
        }
        command = [sys.executable, PROGRAMS / "aws_emulator.py", self.clock]
        lab.start("ministack", command, port=self.port, env=environment)
        self._config = Config(retries={"max_attempts": 0})
        self._clients = {}

    def move(self, seconds):
        """Sets by how much its clock is off."""
        self.lab.replace("clock", str(seconds))

    def client(self, service):
        if service not in self._clients:
            self._clients[service] = SESSION.create_client(
                service, region_name=REGION, endpoint_url=f"http://127.0.0.1:{self.port}",
                # The emulator's own, public test credentials.
                aws_access_key_id="test", aws_secret_access_key="test", config=self._config)
        return self._clients[service]

    def host(self, api):
        return f"{api}.execute-api.{DOMAIN}:{self.port}"

    def url(self, api, path):
        """`path` begins with the stage, where there is one."""
        return f"http://{self.host(api)}{path}"

    def resolve(self, api):
        return {self.host(api): [f"127.0.0.1:{self.port}"]}

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
            return answer.read().decode()

    def jwks(self, pool):
        """As `keys` of a case."""
        return {"jwks.json": self.get(f"/{pool}/.well-known/jwks.json")}

    def answer(self, service, operation, **parameters):
        """As `files` of a case: what AWS answers to this operation."""
        method = re.sub(r"(?<!^)(?<![A-Z])(?=[A-Z])", "_", operation).lower()
        answer = getattr(self.client(service), method)(**parameters)
        answer.pop("ResponseMetadata", None)
        text = json.dumps(answer, default=str, indent=1)
        return {f"aws/{service}/{operation}.json": text}

    # Cognito

    def pool(self, name="app"):
        """A user pool with one app client and one user."""
        cognito = self.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName=name)["UserPool"]["Id"]
        return Pool(self, pool, self.pool_client(pool))

    def pool_client(self, pool, **more):
        flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        made = self.client("cognito-idp").create_user_pool_client(
            UserPoolId=pool, ClientName="app", ExplicitAuthFlows=flows, **more)
        return made["UserPoolClient"]["ClientId"]

    # Lambda

    def function(self, name, source):
        """A Python function; its ARN."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", source)
        made = self.client("lambda").create_function(
            FunctionName=name, Runtime="python3.11", Handler="index.handler",
            Role=f"arn:aws:iam::{ACCOUNT}:role/lab", Code={"ZipFile": packed.getvalue()})
        return made["FunctionArn"]


class Pool:
    """A Cognito user pool, its app client, and the user in it."""

    USER, PASSWORD = "ann", "Correct-horse-7"

    def __init__(self, cloud, pool, client):
        self.cloud, self.id, self.client = cloud, pool, client
        self.arn = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{pool}"
        self.issuer = f"https://cognito-idp.{DOMAIN}/{pool}"
        cognito = cloud.client("cognito-idp")
        cognito.admin_create_user(UserPoolId=pool, Username=self.USER, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=self.USER, Password=self.PASSWORD, Permanent=True)

    def sign_in(self, client=None):
        """`AccessToken`, `IdToken` and `RefreshToken`."""
        answer = self.cloud.client("cognito-idp").initiate_auth(
            ClientId=client or self.client, AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self.USER, "PASSWORD": self.PASSWORD})
        return answer["AuthenticationResult"]

    def old(self, hours=2):
        """Tokens that were good so long ago."""
        self.cloud.move(-3600 * hours)
        tokens = self.sign_in()
        self.cloud.move(0)
        return tokens


def lambda_uri(arn):
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Rest:
    """A REST API with GET /items and GET /items/{id}, deployed to `prod`."""

    def __init__(self, cloud, method=None, authorizer=None, before_deploy=None, name="items"):
        self.cloud, self.gateway = cloud, cloud.client("apigateway")
        self.id = self.gateway.create_rest_api(name=name)["id"]
        self.method = dict(method or {})
        if authorizer:
            made = self.gateway.create_authorizer(restApiId=self.id, name="auth", **authorizer)
            self.authorizer = made["id"]
            kind = "COGNITO_USER_POOLS" if authorizer["type"] == "COGNITO_USER_POOLS" else "CUSTOM"
            self.method |= {"authorizationType": kind, "authorizerId": self.authorizer}
        self.method.setdefault("authorizationType", "NONE")
        root = self.gateway.get_resources(restApiId=self.id)["items"][0]["id"]
        self.items = self.resource(root, "items")
        self.item = self.resource(self.items, "{id}")
        for resource in (self.items, self.item):
            self.put(resource, "GET", self.method)
        if before_deploy:
            before_deploy(self)
        self.deploy("prod")

    def resource(self, parent, part):
        return self.gateway.create_resource(restApiId=self.id, parentId=parent, pathPart=part)["id"]

    def put(self, resource, verb, method):
        """A method that answers 200 with a list."""
        at = {"restApiId": self.id, "resourceId": resource, "httpMethod": verb}
        self.gateway.put_method(**at, **method)
        self.gateway.put_integration(
            **at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        self.gateway.put_method_response(**at, statusCode="200")
        self.gateway.put_integration_response(
            **at, statusCode="200", responseTemplates={"application/json": '{"items":[1,2,3]}'})

    def deploy(self, stage):
        return self.gateway.create_deployment(restApiId=self.id, stageName=stage)["id"]

    def url(self, path="/prod/items"):
        return self.cloud.url(self.id, path)

    def record(self, token=None, path="/prod/items", method="GET", origin=None, **job):
        """The target and the exchanges, as inputs of a case."""
        return asked(self.cloud, self.id, target(self.url(path), method, origin), token, **job)


def asked(cloud, api, wanted, token=None, **job):
    """The target, its token and the exchanges, as inputs of a case."""
    job = {name: value for name, value in job.items() if value is not None}
    exchanges = record(wanted, token, resolve=cloud.resolve(api), **job)
    given = {name: job[name] for name in ("old_token", "other_token") if name in job}
    return {"target": wanted, "token": token, "exchanges": exchanges, **given}


def cognito(*pools):
    """A REST authorizer of these pools."""
    return {"type": "COGNITO_USER_POOLS", "providerARNs": [pool.arn for pool in pools],
            "identitySource": "method.request.header.Authorization"}
