"""What tests send to a carrier, and a carrier that takes it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

from app.integrations.mitto.client import MittoClient
from app.integrations.mitto.types import OutboundSms
from tests.integrations.mitto.carriers import Asked, Said, read_request

ACCOUNT = "e8a5e53f-51ce-4cc8-9f3c-43fb1d24daf7"
MARIA = OutboundSms("+306984303406", "Γεια σου Μαρία 🎁", "MyShop")
NIKOS = OutboundSms("+306984303407", "Hi Nikos", "MyShop")
MESSAGE_ID = "01KC69MT19BRK5MSXG1V95YPHX"
OTHER_ID = "01K8RBH8A6J1410YE2M9G780PK"

MakeClient = Callable[..., MittoClient]


def answer_of(*items: object) -> dict[str, object]:
    return {"bulkId": "b-1", "messages": list(items)}


def accept_all(asked: Asked) -> Said:
    """Accept every message under an id made from its destination."""
    items = [{"messageId": "M" + one["destination"]} for one in asked.json()["messages"]]
    return Said(json.dumps(answer_of(*items)).encode())


def read_and_close(connection: socket.socket) -> None:
    read_request(connection)
