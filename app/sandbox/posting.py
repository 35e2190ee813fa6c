"""One POST to the app, over kept-alive connections: what Shopify and Stripe have in common."""

from collections.abc import Mapping

import urllib3

CONNECT_SECONDS = 1.0  # shopify.dev: one second to connect, five in all; Stripe names no number


class Postman:
    """Safe to use from several threads. Redirects are not followed: both count them as failures."""

    def __init__(self, threads: int) -> None:
        self._pool = urllib3.PoolManager(maxsize=threads, retries=False)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_seconds: float) -> int | None:
        """The status of the answer; None when there was none in time."""
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, timeout_seconds), total=timeout_seconds)
        try:
            answer = self._pool.request(
                "POST", url, body=body, headers=dict(headers), timeout=timeout, redirect=False
            )
        except (urllib3.exceptions.HTTPError, ValueError):
            return None
        return answer.status

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


def was_taken(status: int | None) -> bool:
    """Only 2xx counts."""
    return status is not None and 200 <= status < 300
