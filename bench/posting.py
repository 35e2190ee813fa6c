"""A process that posts texts to the carrier as a worker does, with no database at all."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from app import create_app
from app.core.settings import settings
from app.integrations.mitto.types import BulkAnswer, OutboundSms
from app.messaging.provider import mitto

TEXT = "Hi Maria, summer sale: 20% off everything. Come by!\n\nUnsubscribe: http://127.0.0.1:8080/r/AAAABkK1Xj2mXq3f"


def post(messages: int) -> None:
    """Post so many texts in batches, with as many calls in flight as a worker has."""
    client, size, most = mitto(), settings().sms_batch_size, settings().sms_batches_in_flight
    in_flight: deque[Future[BulkAnswer]] = deque()
    with ThreadPoolExecutor(most) as pool:
        for first in range(0, messages, size):
            if len(in_flight) == most:
                in_flight.popleft().result()
            batch = [_text(number) for number in range(first, min(first + size, messages))]
            in_flight.append(pool.submit(client.send_bulk, batch))
        for answer in in_flight:
            answer.result()


def _text(number: int) -> OutboundSms:
    return OutboundSms(f"+3069{number:08d}", TEXT, "Astronote")


def main(arguments: Sequence[str]) -> None:
    messages = int(arguments[0])
    with create_app().app_context():
        print("ready", flush=True)
        sys.stdin.readline()
        start = time.time()
        post(messages)
        print(json.dumps({"messages": messages, "start": start, "end": time.time()}))


if __name__ == "__main__":
    main(sys.argv[1:])
