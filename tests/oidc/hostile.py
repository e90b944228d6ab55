"""An identity provider that lies: it answers as the tests want it to."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

RS256 = {"alg": "RS256", "kid": "known"}


@dataclass
class Hostile:
    """What it says, which tests change; by default all of it is in order."""

    issuer: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    id_token: str = ""
    userinfo: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, parameters={"kid": "known"}))
    asked: list[str] = field(default_factory=list)
    redirects_to: str | None = None
    padding: int = 0
    last_subject: Any = None

    def answers(self, path: str) -> dict[str, Any]:
        """The answer at a path."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none", "ES256"],
        }
        return {
            "/.well-known/openid-configuration": {**told, **self.metadata, "padding": "x" * self.padding},
            "/jwks": {"keys": [self.key.as_dict(private=False)]},
            "/token": {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token},
            "/userinfo": self.userinfo or {"sub": self.last_subject},
        }.get(path, {})

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None, key: Any = None) -> str:
        """A token with its own key, or another."""
        header = header or RS256
        self.last_subject = claims.get("sub")
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        return jws.serialize_compact(header, json.dumps(claims), key or self.key, registry=registry)


def raw(header: dict[str, Any], claims: dict[str, Any], signed: Callable[[bytes], bytes]) -> str:
    """A token that no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    body = b".".join(parts)
    return (body + b"." + base64.urlsafe_b64encode(signed(body)).rstrip(b"=")).decode()


def by_secret(secret: bytes) -> Callable[[bytes], bytes]:
    """Signs as HS256 does."""
    return lambda body: hmac.digest(secret, body, "sha256")


def by_key(key: RSAKey) -> Callable[[bytes], bytes]:
    """Signs as RS256 does."""
    return lambda body: key.private_key.sign(body, PKCS1v15(), SHA256())


def another_key(kid: str = "known") -> RSAKey:
    """A key that the provider doesn't own to."""
    return RSAKey.generate_key(2048, parameters={"kid": kid})


def elliptic_key() -> ECKey:
    """One of another kind."""
    return ECKey.generate_key("P-256", parameters={"kid": "known"})


@contextmanager
def running() -> Iterator[Hostile]:
    """One that answers on loopback until the block ends."""
    told = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.dumps(told.answers(self.path)).encode()
            self.send_response(302 if told.redirects_to else 200)
            if told.redirects_to:
                self.send_header("Location", told.redirects_to)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *args: Any) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.issuer = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()
