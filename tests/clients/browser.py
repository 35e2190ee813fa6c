"""The two clients as the API meets them: axios with an interceptor (contract §1.2, §1.4, §23 no. 15, 16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.clients.shapes import Shape, misread

Reads = Mapping[str, Shape]
# What W sends no credentials to.
PUBLIC_PARTS = ("/unsubscribe/", "/webhooks/", "/public/", "/opt-in", "/r/")


class Rejected(Exception):
    """The promise of a call was rejected; the fields are what a page may show or branch on."""

    def __init__(self, status: int, code: str, message: str, body: Any) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.body = status, code, message, body


class LoggedOut(Rejected):
    """The client forgot its session and went to the sign-in page."""


@dataclass
class Browser:
    """A page's way to the API. Every answer is held against what the client reads of it (`reads`)."""

    base: str
    reads: Reads
    session: requests.Session
    token: str | None = None
    domain: str = ""
    origin: str = "https://app.example.com"
    timeout: float = 10.0
    visited: set[str] = field(default_factory=set)

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, headers=headers)

    def put(self, path: str, body: Any = None) -> Any:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """What the page receives. Raises Rejected and LoggedOut as the interceptor does."""
        answer = self.raw(method, path, body, query=query, headers=headers)
        received = self.unwrapped(answer)
        operation = named_as(self.reads, method, path)
        problems = list(misread(received, self.reads[operation]))
        assert not problems, f"{method} {path}: {problems}"
        self.visited.add(operation)
        return received

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The answer before the interceptor sees it."""
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        return self.session.request(
            method,
            self.base + path,
            params={name: value for name, value in (query or {}).items() if value is not None},
            json=body,
            headers={"Origin": self.origin, **self.credentials(path), **sent},
            timeout=self.timeout,
            allow_redirects=False,
        )

    def credentials(self, path: str) -> dict[str, str]:
        if self.token is None:
            return {}
        return {"Authorization": f"Bearer {self.token}", "X-Shopify-Shop-Domain": self.domain}

    def unwrapped(self, answer: requests.Response) -> Any:
        body = answer.json()
        if not answer.ok:
            raise self.rejection(answer, body)
        return body["data"] if body.get("success") and "data" in body else body

    def rejection(self, answer: requests.Response, body: Any) -> Rejected:
        code = self.code_of(body)
        if answer.status_code == 401 or code == "INVALID_SHOP_DOMAIN":
            self.token = None
            return LoggedOut(answer.status_code, code, body["message"], body)
        return Rejected(answer.status_code, code, body["message"], body)

    def code_of(self, body: Any) -> str:
        raise NotImplementedError


class Web(Browser):
    """W, the Next.js client: branches on `code`, rejects a success that says it is none."""

    def credentials(self, path: str) -> dict[str, str]:
        return {} if any(part in path for part in PUBLIC_PARTS) else super().credentials(path)

    def unwrapped(self, answer: requests.Response) -> Any:
        body = answer.json()
        if answer.ok and body.get("success") is False:
            raise Rejected(answer.status_code, self.code_of(body), str(body.get("message")), body)
        return super().unwrapped(answer)

    def code_of(self, body: Any) -> str:
        return str(body["code"])


@dataclass
class Embedded(Browser):
    """S, the Vite client: branches on `error`, shows the first detail where there is one."""

    origin: str = "https://embedded.example.com"

    def code_of(self, body: Any) -> str:
        return str(body["error"])

    def shown(self, rejected: Rejected) -> str:
        """The sentence that the page shows."""
        details = rejected.body.get("details")
        if isinstance(details, list) and details:
            return f"{details[0]['field']}: {details[0]['message']}"
        return rejected.message


def named_as(reads: Reads, method: str, path: str) -> str:
    """The name in `reads` that a call goes by; what is written out comes before what has ids."""
    called = f"{method} {path.partition('?')[0]}"
    for name in sorted(reads, key=lambda name: ("{" in name, name)):
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(name)), called):
            return name
    raise AssertionError(f"the client has no page that calls {called}")
