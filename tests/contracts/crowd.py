"""A shop that has so many of everything, made with one statement for each kind of thing.

It is for counting what reading costs: its rows are plausible, its books are not balanced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.core.uow import across_shops, unit_of_work
from app.shops.models import Shop
from app.templates.service.seeding import sync_library
from tests import build

NUMBERS = "FROM generate_series(1, CAST(:count AS int)) AS n"
PHONE = "'+3069' || lpad(CAST(:block * 1000 + n AS text), 8, '0')"

# In this order: a row's parents come before it. What is made in the ids of `:first_…` is read below.
EVERYTHING = (
    f"""INSERT INTO contacts (shop_id, phone, region, first_name, consent, tags, birth_date, orders_count)
        SELECT :shop_id, {PHONE}, 'GR', 'Maria ' || n, 'opted_in', '{{vip}}', current_date, 1 {NUMBERS}""",
    """INSERT INTO consent_events (shop_id, contact_id, phone, action, source)
       SELECT shop_id, id, phone, 'grant', 'import' FROM contacts WHERE shop_id = :shop_id""",
    f"""INSERT INTO suppressions (shop_id, phone, source)
        SELECT :shop_id, '+3068' || lpad(CAST(n AS text), 8, '0'), 'sms_reply' {NUMBERS}""",
    f"""INSERT INTO contact_imports (shop_id, filename, file_sha256, status, size_bytes, done_bytes)
        SELECT :shop_id, 'people.csv', CAST(n AS text), 'completed', 100, 100 {NUMBERS}""",
    f"""INSERT INTO contact_import_errors (shop_id, import_id, row, field, value, message)
        SELECT :shop_id, (SELECT min(id) FROM contact_imports WHERE shop_id = :shop_id), n, 'phoneE164',
          '?', 'is not a phone number' {NUMBERS}""",
    f"""INSERT INTO segments (shop_id, name, kind) SELECT :shop_id, 'Segment ' || n, 'custom' {NUMBERS}""",
    """INSERT INTO segment_members (shop_id, segment_id, contact_id)
       SELECT shop_id, (SELECT min(id) FROM segments WHERE shop_id = :shop_id), id
       FROM contacts WHERE shop_id = :shop_id""",
    f"""INSERT INTO campaigns (shop_id, name, message, status, run_no, frozen_at, started_at, finished_at)
        SELECT :shop_id, 'Campaign ' || n, 'Hello', 'completed', 1, now(), now(), now() {NUMBERS}""",
    """INSERT INTO message_runs (shop_id, source, source_id, text, links, sender, pending)
       SELECT shop_id, 'campaign', id, 'Hello', ARRAY['https://shop.example/sale'], 'Olives', 2 * :count
       FROM campaigns WHERE shop_id = :shop_id""",
    """UPDATE message_runs SET pending = 0, sent = :count, failed = :count WHERE shop_id = :shop_id""",
    """UPDATE message_runs SET sent = 0, delivered = :count WHERE shop_id = :shop_id""",
    """UPDATE campaigns SET run_id = (SELECT r.id FROM message_runs r
         WHERE r.shop_id = :shop_id AND r.source = 'campaign' AND r.source_id = campaigns.id)
       WHERE shop_id = :shop_id""",
    """INSERT INTO messages (shop_id, run_id, contact_id, phone, event_key, parts, state,
         provider_message_id, sent_at)
       SELECT shop_id, (SELECT run_id FROM campaigns WHERE shop_id = :shop_id ORDER BY id LIMIT 1),
         id, phone, state, 1,
         state, CASE state WHEN 'delivered' THEN 'crowd-' || id END,
         CASE state WHEN 'delivered' THEN now() END
       FROM contacts, unnest(ARRAY['delivered', 'failed']) AS state WHERE shop_id = :shop_id""",
    f"""INSERT INTO invoices (shop_id, stripe_invoice_id, stripe_subscription_id, plan, subtotal_cents,
          tax_cents, total_cents, paid_cents, currency, status, issued_at)
        SELECT :shop_id, 'in_' || :block || '_' || n, 'sub_1', 'starter', 4000, 0, 4000, 4000, 'EUR', 'paid',
          now() {NUMBERS}""",
    """INSERT INTO send_attempts (shop_id, run_id, size, state, finished_at)
       SELECT shop_id, id, :count, 'settled', now() FROM message_runs WHERE shop_id = :shop_id""",
    """INSERT INTO click_events (shop_id, run_id, message_id, contact_id, link_no)
       SELECT shop_id, run_id, id, contact_id, 1 FROM messages WHERE shop_id = :shop_id""",
    f"""INSERT INTO inbound_messages (shop_id, inbox_id, phone, text, intent)
        SELECT :shop_id, :block * 1000 + n, {PHONE}, 'Thanks', 'other' {NUMBERS}""",
    f"""INSERT INTO templates (shop_id, eshop_type, key, title, category, content, tags)
        SELECT :shop_id, 'generic', 'key-' || n, 'Title ' || n, 'Sales ' || n, 'Hello', '{{sale}}'
        {NUMBERS}""",
    """INSERT INTO template_usage (shop_id, template_id)
       SELECT shop_id, id FROM templates WHERE shop_id = :shop_id""",
    f"""INSERT INTO opt_in_confirmations (shop_id, phone, tag, expires_at)
        SELECT :shop_id, {PHONE}, 'vip', now() + interval '1 day' {NUMBERS}""",
    f"""INSERT INTO activity (shop_id, actor_kind, action, object_kind)
        SELECT :shop_id, 'user', 'contact.created', 'contact' {NUMBERS}""",
    f"""INSERT INTO api_keys (shop_id, name, secret_sha256, hint)
        SELECT :shop_id, 'Key ' || n, sha256(CAST(:block || '-' || n AS bytea)), 'xxxx' {NUMBERS}""",
    f"""INSERT INTO automations (shop_id, name, trigger, status, activated_at)
        SELECT :shop_id, 'Automation ' || n, 'welcome', 'active', now() {NUMBERS}""",
    """INSERT INTO automation_steps (shop_id, automation_id, step_no, delay_minutes, message)
       SELECT shop_id, id, 1, 0, 'Welcome to us' FROM automations WHERE shop_id = :shop_id""",
    f"""INSERT INTO automation_attempts (shop_id, automation_id, trigger, entry_id, step_no, outcome, at)
        SELECT :shop_id, (SELECT min(id) FROM automations WHERE shop_id = :shop_id), 'welcome',
          :block * 1000 + n, 1, 'skipped', now() {NUMBERS}""",
    f"""INSERT INTO customer_imports (shop_id, status) SELECT :shop_id, 'completed' {NUMBERS}""",
    f"""INSERT INTO privacy_requests (shop_id, inbox_id, kind)
        SELECT :shop_id, :block * 1000 + n, 'data_request' {NUMBERS}""",
    f"""INSERT INTO orders (shop_id, shopify_id, contact_id, name, placed_at, currency, total_cents,
          source_updated_at)
        SELECT :shop_id, n, (SELECT min(id) FROM contacts WHERE shop_id = :shop_id), '#' || n, now(), 'EUR',
          100, now() {NUMBERS}""",
    """INSERT INTO ledger_transfers (shop_id, from_account_id, to_account_id, amount, kind, key,
          from_balance_after, to_balance_after)
        SELECT :shop_id, min(id), max(id), 1, moved, moved || n, 0, 0
        FROM ledger_accounts, unnest(ARRAY['purchase', 'capture']) AS moved,
          generate_series(1, CAST(:count AS int)) AS n
        WHERE shop_id = :shop_id GROUP BY moved, n""",
)


@dataclass(frozen=True)
class Crowd:
    """A shop with `count` of everything."""

    shop: Shop
    count: int

    def first(self, table: str, column: str = "id") -> str:
        """The smallest id in a table: there, whatever hangs on a row is `count` times as well."""
        with unit_of_work(self.shop.id) as session:
            found = session.scalar(
                sa.text(f"SELECT min({column}) FROM {table} WHERE shop_id = :shop_id"),
                {"shop_id": self.shop.id},
            )
        return str(found)

    def ids(self, table: str, first: int, count: int) -> list[str]:
        """The ids of `count` rows of a table, from the `first`-th on."""
        with unit_of_work(self.shop.id) as session:
            found = session.scalars(
                sa.text(
                    f"SELECT id FROM {table} WHERE shop_id = :shop_id ORDER BY id LIMIT :count OFFSET :first"
                ),
                {"shop_id": self.shop.id, "count": count, "first": first - 1},
            )
            return [str(one) for one in found]

    def send_again(self) -> list[str]:
        """Let every message be accepted and not reported on yet; gives the carrier's ids."""
        with unit_of_work(self.shop.id) as session:
            session.execute(
                sa.text("UPDATE message_runs SET sent = 2 * :count, delivered = 0, failed = 0"),
                {"count": self.count},
            )
            session.execute(
                sa.text("""INSERT INTO credit_holds (shop_id, run_id, wallet_spent, expires_at)
                           SELECT shop_id, id, 2 * :count, now() FROM message_runs"""),
                {"count": self.count},
            )
            return list(
                session.scalars(
                    sa.text("""UPDATE messages SET state = 'sent', failure = NULL,
                             provider_message_id = 'again-' || id, sent_at = now()
                           RETURNING provider_message_id""")
                )
            )


def shared_templates(count: int) -> None:
    """The library that all shops share, and so many texts more."""
    sync_library()
    with across_shops("a test fills the shared library") as session:
        session.execute(
            sa.text(f"""INSERT INTO templates (eshop_type, key, title, category, content)
                        SELECT 'generic', 'crowd-' || n, 'Title', 'Sales', 'Hello' {NUMBERS}"""),
            {"count": count},
        )


def a_crowd(count: int) -> Crowd:
    shop = build.a_shop()
    given: dict[str, Any] = {"shop_id": shop.id, "count": count, "block": next(build.counter)}
    with unit_of_work(shop.id) as session:
        for statement in EVERYTHING:
            session.execute(sa.text(statement), given)
    return Crowd(shop, count)


# By the name of a path parameter: the object that has most. Others are made by belongings.MAKERS.
BIGGEST: dict[str, Callable[[Crowd], str]] = {
    "contact_id": lambda crowd: crowd.first("contacts"),
    "phone": lambda crowd: crowd.first("suppressions", "phone"),
    "import_id": lambda crowd: crowd.first("contact_imports"),
    "segment_id": lambda crowd: crowd.first("segments"),
    "audience_id": lambda crowd: f"segment:{crowd.first('segments')}",
    "campaign_id": lambda crowd: crowd.first("campaigns"),
    "template_id": lambda crowd: crowd.first("templates"),
    "message_id": lambda crowd: crowd.first("messages"),
    "automation_id": lambda crowd: crowd.first("automations"),
    "key_id": lambda crowd: crowd.first("api_keys"),
}
