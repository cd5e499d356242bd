"""A small OpenID Connect provider on loopback that signs in whoever it is told to, and checks what clients send."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "whisper", "client-secret"


@dataclass
class Provider:
    """`claims` is who signs in next; `asked` is every path that was called."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    audience: str = CLIENT
    redirect_tokens_to: str = ""
    asked: list[str] = field(default_factory=list)
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: set[str] = field(default_factory=set)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert (query["client_id"], query["response_type"], query["code_challenge_method"]) == (CLIENT, "code", "S256")
        code = secrets.token_hex(8)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self._codes.pop(form.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if asked is None or form.get("client_secret") != SECRET or asked["code_challenge"] != proof.decode():
            return None
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.audience, "iat": now, "exp": now + 60, **self.claims}
        access = secrets.token_hex(8)
        self._tokens.add(access)
        return {"access_token": access, "token_type": "Bearer", "id_token": jwt.encode(claims, self._key, "RS256")}

    def userinfo(self, authorization: str) -> dict[str, Any] | None:
        return self.claims if authorization.removeprefix("Bearer ") in self._tokens else None


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.provider.asked.append(address.path)
        if address.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            return self._send(302, None, {"Location": self.provider.authorize(query)})
        if address.path == "/userinfo":
            return self._json(self.provider.userinfo(self.headers.get("Authorization", "")))
        return self._json(self.provider.discovery() if address.path.startswith("/.well-known/") else None)

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.provider.redirect_tokens_to:
            return self._send(302, None, {"Location": self.provider.redirect_tokens_to})
        return self._json(self.provider.token({name: values[0] for name, values in parse_qs(body).items()}))

    def _json(self, value: dict[str, Any] | None) -> None:
        self._send(200 if value is not None else 400, value or {"error": "invalid_request"}, {})

    def _send(self, status: int, value: Any, headers: dict[str, str]) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Tests read `asked`."""


@contextmanager
def running() -> Iterator[Provider]:
    handler: Any = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        handler.provider = provider
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
