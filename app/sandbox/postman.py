"""Carries reports and replies to the webhooks: one POST at a time per thread, over kept-alive connections."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from app.sandbox import queries
from app.sandbox.config import SandboxConfig
from app.sandbox.store import Store

POSTERS = 4
POST_TIMEOUT_SECONDS = 10
REPORT_TRIGGER, REPLY_TRIGGER = "MessageStatusUpdated", "MessageReceived"
WRONG_SECRET = "not-the-secret"  # noqa: S105 -- on purpose wrong


@dataclass(frozen=True)
class Delivery:
    """One POST to make. `reports` is how many outcomes or replies it carries."""

    url: str
    headers: dict[str, str]
    body: list[dict[str, Any]] | dict[str, Any]
    reports: int
    attempt: int = 1

    def again(self) -> "Delivery":
        """The same, one attempt later."""
        return replace(self, attempt=self.attempt + 1)


class AddressBook:
    """Who wants to hear from the carrier: the configured webhook and the registered ones."""

    def __init__(self, config: SandboxConfig, store: Store) -> None:
        self._config = config
        self._store = store

    def of(self, trigger: str, *, wrong_secret: bool) -> list[tuple[str, dict[str, str]]]:
        """(url, headers) of everyone interested in `trigger`."""
        found = []
        if self._config.webhook_url:
            path = "/dlr" if trigger == REPORT_TRIGGER else "/inbound"
            secret = WRONG_SECRET if wrong_secret else self._config.webhook_secret
            found.append((self._config.webhook_url + path, {"X-Webhook-Token": secret}))
        for hook in queries.webhooks(self._store):
            if trigger in (hook.get("webhookTriggers") or [trigger]):
                headers = dict(hook.get("headers") or {})
                found.append((hook["url"], dict.fromkeys(headers, WRONG_SECRET) if wrong_secret else headers))
        return found


class Postman:
    """Posts deliveries. `post` says whether the receiver took it; nothing is retried here."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(POSTERS, thread_name_prefix="sandbox-post")
        self._session = requests.Session()
        self._session.trust_env = False  # looking up a proxy costs more than the post
        adapter = HTTPAdapter(pool_maxsize=4 * POSTERS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post(self, delivery: Delivery) -> bool:
        """Make one POST and wait for the answer."""
        body = json.dumps(delivery.body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} | delivery.headers
        try:
            answer = self._session.post(
                delivery.url, data=body, headers=headers, timeout=POST_TIMEOUT_SECONDS
            )
        except requests.RequestException:
            return False
        return answer.ok

    def submit(self, task: Any, delivery: Delivery) -> None:
        """Run `task(delivery)` on one of the posting threads."""
        self._pool.submit(task, delivery)

    def close(self) -> None:
        """Finish the posts under way and close the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._session.close()
