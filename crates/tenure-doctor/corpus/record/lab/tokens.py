"""Throwaway keys and tokens."""

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


@dataclass
class Key:
    """A signing key: `RS256`, `ES256` or `HS256`."""

    alg: str = "RS256"
    kid: str = field(default_factory=lambda: secrets.token_hex(4))
    private: Any = None

    def __post_init__(self):
        if self.private is None:
            self.private = {
                "RS256": lambda: rsa.generate_private_key(65537, 2048),
                "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
                "HS256": lambda: secrets.token_urlsafe(32),
            }[self.alg]()

    @property
    def verifying(self):
        """What a verifier needs."""
        return self.private if self.alg == "HS256" else self.private.public_key()

    def jwk(self) -> dict:
        """The public key (RFC 7517)."""
        algorithm = jwt.get_algorithm_by_name(self.alg)
        return {**algorithm.to_jwk(self.verifying, as_dict=True), "kid": self.kid, "alg": self.alg, "use": "sig"}

    def pem(self) -> str:
        """The public key."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.verifying.public_bytes(serialization.Encoding.PEM, form).decode()

    def private_pem(self) -> str:
        """The private key."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    def token(self, *, headers=None, secret=None, **claims) -> str:
        """A signed token of exactly these claims (`None` leaves one out); `secret` signs in place of the key."""
        claims = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": self.kid, **(headers or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        # PyJWT checks some claims while it signs; a fault may be in them.
        payload = json.dumps(claims, separators=(",", ":")).encode()
        key = self.private if secret is None else secret
        return jwt.PyJWS(options={"enforce_minimum_key_length": False}).encode(payload, key, self.alg, headers=headers)


def jwks(*keys: Key) -> dict:
    """A key set."""
    return {"keys": [key.jwk() for key in keys]}


def claims(issuer: str, *, audience="orders-api", subject="u-4711", lifetime=900, age=60, now=None, **more) -> dict:
    """Claims of an ordinary access token, issued `age` seconds ago."""
    issued = int(time.time() if now is None else now) - age
    return {"iss": issuer, "aud": audience, "sub": subject, "iat": issued, "exp": issued + lifetime,
            "jti": secrets.token_hex(8), "scope": "orders:read", "roles": ["user"], **more}


def unsigned(token: str) -> dict:
    """The payload, without trust."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
