"""A confirmation on its way through a real carrier."""

from __future__ import annotations

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from app.messaging.models import Message
from app.messaging.service import sending
from tests import build_contacts, build_messages
from tests.messaging.conftest import carrier as carrier  # the fixture
from tests.sandbox.conftest import Carrier
from tests.storefront.conftest import Storefront

PHONE = "+306912345678"


def send(storefront: Storefront) -> None:
    with unit_of_work(storefront.shop.id) as session:
        run_id = session.scalars(sa.select(Message.run_id)).one()
    sending.send_slice(storefront.shop.id, run_id)


def test_a_careful_shops_question_is_sent_once_and_paid_for(
    client: FlaskClient, storefront: Storefront, carrier: Carrier
):
    before = storefront.wallet()
    storefront.wants_double_opt_in()
    storefront.opt_in(PHONE)

    send(storefront)

    assert [text.state for text in storefront.texts()] == ["sent"]
    assert carrier.stats()["accepted"] == 1
    assert storefront.wallet() == before - 1
    build_messages.assert_books_balance()
    client.post(storefront.texts()[0].path)
    assert storefront.consent_of(PHONE) == "opted_in"


def test_who_had_opted_out_is_asked_all_the_same(
    client: FlaskClient, storefront: Storefront, carrier: Carrier
):
    build_contacts.a_suppression(storefront.shop, PHONE)
    storefront.opt_in(PHONE)

    send(storefront)

    assert [text.state for text in storefront.texts()] == ["sent"]
    build_messages.assert_books_balance()
    client.post(storefront.texts()[0].path)
    assert storefront.consent_of(PHONE) == "opted_in"
