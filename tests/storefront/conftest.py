"""A storefront with its sign-up form, and another shop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.billing import service as billing
from app.contacts.models import Contact
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.messaging.service import freezing
from app.messaging.states import Source
from app.messaging.wording import word
from app.shops import service as shops
from app.shops.models import Shop
from tests import build, build_contacts

AGENT = "Mozilla/5.0 (Phone)"
PAGE = "https://olives.example/products/oil"
WORDING = "Yes, send me offers by SMS. I can stop them at any time."
LINK = re.compile(r"https://\S+/opt-in/confirm/(\S+)")
TEXTS = sa.text("""
    SELECT m.phone, m.state, m.parts, r.text, r.sender, r.source
    FROM messages m JOIN message_runs r ON r.id = m.run_id ORDER BY m.id""")


@dataclass(frozen=True)
class Text:
    """A text that is on its way."""

    phone: str
    state: str
    parts: int
    text: str
    sender: str
    source: str

    @property
    def path(self) -> str:
        """The address of the confirmation page in it."""
        found = LINK.search(self.text)
        assert found, self.text
        return f"/opt-in/confirm/{found[1]}"


class Storefront:
    """One shop as a visitor meets it."""

    def __init__(self, client: FlaskClient, shop: Shop) -> None:
        self.client, self.shop = client, shop

    def opt_in(self, phone: str, *, headers: dict[str, str] | None = None, **body: Any) -> TestResponse:
        form = {"phone": phone, "consent": True, "shopDomain": self.shop.domain, **body}
        return self.client.post("/api/opt-in", json=form, headers={"User-Agent": AGENT, **(headers or {})})

    def wants_double_opt_in(self) -> None:
        with unit_of_work(self.shop.id):
            shops.change_settings(self.shop.id, double_opt_in=True)

    def reserves_everything(self) -> None:
        """Leaves no credit to spend."""
        wording = word("Hello", constants={}, link_base="https://sms.example.com")
        with unit_of_work(self.shop.id):
            run_id = freezing.open_run(self.shop.id, Source.TEST, 1, wording, sender="Olives")
            credits.hold(self.shop.id, run_id, credits.balance_of(self.shop.id).available, key="all")

    def contact(self, phone: str) -> Contact | None:
        with unit_of_work(self.shop.id) as session:
            found = session.scalar(sa.select(Contact).where(Contact.phone == phone))
            if found is not None:
                session.expunge(found)
        return found

    def consent_of(self, phone: str) -> str | None:
        found = self.contact(phone)
        return found and found.consent

    def texts(self) -> list[Text]:
        with unit_of_work(self.shop.id) as session:
            return [Text(**row._asdict()) for row in session.execute(TEXTS)]

    def events(self) -> Sequence[Any]:
        return build_contacts.consent_events(self.shop)

    def wallet(self) -> int:
        return billing.balance(self.shop.id).available


@pytest.fixture
def storefront(client: FlaskClient) -> Storefront:
    """A shop that can pay for a few texts."""
    return Storefront(client, build.a_shop(name="Kalamata Olives"))


@pytest.fixture
def other(client: FlaskClient) -> Storefront:
    """Another shop."""
    return Storefront(client, build.a_shop())


@pytest.fixture
def outdated(owner: sa.Engine) -> Callable[[], None]:
    """Lets 72 hours pass for every confirmation that waits."""

    def pass_time() -> None:
        with owner.connect() as connection:
            connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
            connection.exec_driver_sql(
                "UPDATE opt_in_confirmations SET expires_at = expires_at - interval '72 hours'"
            )

    return pass_time


@pytest.fixture
def enquiries(app: Flask, owner: sa.Engine) -> Iterator[Callable[[], list[Any]]]:
    """What the contact form has kept."""

    def read() -> list[Any]:
        with owner.connect() as connection:
            connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
            return list(
                connection.exec_driver_sql("SELECT name, email, message FROM enquiries ORDER BY id").all()
            )

    yield read
