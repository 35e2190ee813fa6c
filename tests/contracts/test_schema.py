"""The database itself: migrations equal models, and no shop can reach another one's rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy.exc import DBAPIError

import app.background  # noqa: F401  # what only the workers load has tables too
from app.audiences.models import SegmentKind
from app.automations import models as automations
from app.billing.models import InvoiceStatus
from app.campaigns.models import CampaignStatus, Priority, ScheduleType
from app.connections.models import ConnectionStatus
from app.contacts.models import Consent, ConsentAction, Gender, ImportStatus, Suppression
from app.core.activity import ActorKind
from app.core.database import db
from app.core.uow import across_shops, unit_of_work
from app.credits.models import AccountKind, TransferKind
from app.customers.models import CustomerImportStatus
from app.messaging import states
from app.optouts.words import ReplyIntent
from app.orders.models import CreditedSource, Evidence
from app.payers.models import SaleKind, Treatment, VatSource, VatStatus
from app.privacy.models import Kind as PrivacyKind
from app.privacy.models import Status as PrivacyStatus
from app.purchases import models as purchases
from app.shops.models import EshopType, ShopStatus
from app.subscriptions.models import Source, SubscriptionStatus
from app.webhooks.models import Kind
from tests import build, databases
from tests.build import APPEND_ONLY
from tests.contracts.belongings import tenant_tables
from tests.contracts.rows import a_row_of, parents_first

WITHOUT_TENANT = {"alembic_version", "ticks", "oauth_states", "calling_areas", "sending_windows"}
# Rows that belong to no shop and that every shop may read, but not write.
READABLE_BY_ALL = {("templates", "SELECT")}
# Policies that only take rows away from what the tenant's policy leaves.
NARROWED = {("contact_words", "SELECT")}
ENUMS: list[tuple[str, type[StrEnum]]] = [
    ("ck_shops_status", ShopStatus),
    ("ck_shopify_connections_status", ConnectionStatus),
    ("ck_subscriptions_status", SubscriptionStatus),
    ("ck_subscriptions_source_of_truth", Source),
    ("ck_invoices_status", InvoiceStatus),
    ("ck_contacts_consent", Consent),
    ("ck_contacts_shopify_consent", Consent),
    ("ck_contacts_gender", Gender),
    ("ck_consent_events_action", ConsentAction),
    ("ck_contact_imports_status", ImportStatus),
    ("ck_customer_imports_status", CustomerImportStatus),
    ("ck_segments_kind", SegmentKind),
    ("ck_ledger_accounts_kind", AccountKind),
    ("ck_ledger_transfers_kind", TransferKind),
    ("ck_message_runs_source", states.Source),
    ("ck_message_runs_kind", states.RunKind),
    ("ck_automations_trigger", automations.Trigger),
    ("ck_automations_status", automations.AutomationStatus),
    ("ck_automation_entries_status", automations.EntryStatus),
    ("ck_automation_attempts_outcome", automations.AttemptOutcome),
    ("ck_messages_state", states.MessageState),
    ("ck_campaigns_status", CampaignStatus),
    ("ck_campaigns_schedule_type", ScheduleType),
    ("ck_campaigns_priority", Priority),
    ("ck_inbound_messages_intent", ReplyIntent),
    ("ck_templates_eshop_type", EshopType),
    ("ck_activity_actor_kind", ActorKind),
    ("ck_reconciliations_kind", Kind),
    ("ck_order_attributions_source", CreditedSource),
    ("ck_order_attributions_evidence", Evidence),
    ("ck_privacy_requests_kind", PrivacyKind),
    ("ck_privacy_requests_status", PrivacyStatus),
    ("ck_purchases_kind", purchases.PurchaseKind),
    ("ck_purchases_status", purchases.PurchaseStatus),
    ("ck_billing_alerts_kind", purchases.AlertKind),
    ("ck_billing_profiles_vat_status", VatStatus),
    ("ck_billing_profiles_vat_source", VatSource),
    ("ck_tax_evidence_vat_status", VatStatus),
    ("ck_tax_evidence_treatment", Treatment),
    ("ck_tax_evidence_sale_kind", SaleKind),
]


@pytest.fixture
def as_owner(app: Flask, owner: sa.Engine) -> Iterator[sa.Connection]:
    with owner.connect() as connection:
        yield connection


def differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, db.metadata))


def test_the_migrations_make_exactly_the_models(as_owner: sa.Connection):
    assert differences(as_owner) == []


def test_the_migrations_can_be_undone_and_done_again(app: Flask, owner: sa.Engine):
    db.session.remove()
    db.engine.dispose()

    flask_migrate.downgrade(directory="migrations", revision="base")
    with owner.connect() as connection:
        left = set(sa.inspect(connection).get_table_names())
    flask_migrate.upgrade(directory="migrations")

    assert left == {"alembic_version"}
    with owner.connect() as connection:
        assert differences(connection) == []


def test_every_table_belongs_to_shops_or_is_listed_as_belonging_to_none(as_owner: sa.Connection):
    assert set(sa.inspect(as_owner).get_table_names()) - set(tenant_tables(as_owner)) == WITHOUT_TENANT


def test_row_level_security_is_forced_on_every_tenant_table(as_owner: sa.Connection):
    rows = as_owner.exec_driver_sql(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relrowsecurity AND relforcerowsecurity"
    )

    assert set(rows.scalars()) == set(tenant_tables(as_owner))


def test_every_policy_asks_for_the_shop_both_ways(as_owner: sa.Connection):
    policies = as_owner.exec_driver_sql(
        "SELECT tablename, policyname, permissive, cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public'"
    ).all()

    tenant = [policy for policy in policies if policy.policyname == "tenant"]
    assert sorted(policy.tablename for policy in tenant) == sorted(tenant_tables(as_owner))
    for policy in tenant:
        assert (policy.permissive, policy.cmd) == ("PERMISSIVE", "ALL")
        assert policy.qual == policy.with_check
        assert "app.shop_id" in policy.qual
    narrowing = [policy for policy in policies if policy.permissive == "RESTRICTIVE"]
    assert {(policy.tablename, policy.cmd) for policy in narrowing} == NARROWED
    others = {(policy.tablename, policy.cmd) for policy in policies if policy not in [*tenant, *narrowing]}
    assert others == READABLE_BY_ALL


def test_the_applications_role_cannot_bypass_row_level_security(app: Flask):
    with across_shops("which role is this") as session:
        role = session.execute(
            sa.text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        ).one()

    assert tuple(role) == (False, False, False)


def test_every_key_that_other_tables_use_carries_the_shop(as_owner: sa.Connection):
    inspector = sa.inspect(as_owner)
    for table in tenant_tables(as_owner):
        for key in inspector.get_foreign_keys(table):
            if key["referred_table"] == "shops":
                continue
            assert "shop_id" in key["constrained_columns"], (table, key)
            assert "shop_id" in key["referred_columns"], (table, key)


def test_without_a_unit_of_work_no_table_shows_a_row(app: Flask, as_owner: sa.Connection):
    for table in _filled(as_owner):
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0, table


def test_no_shop_reads_or_writes_another_ones_rows_in_any_table(app: Flask, as_owner: sa.Connection):
    stranger = build.a_shop()

    for table, column in _filled(as_owner).items():
        with unit_of_work(stranger.id) as session:
            foreign = session.execute(
                sa.text(f"SELECT count(*) FROM {table} WHERE {column} <> {stranger.id}")
            ).scalar()
            assert foreign == 0, table
        writable = "domain" if table == "shops" else column
        assert _refused(
            stranger.id, f"UPDATE {table} SET {writable} = {writable} WHERE {column} <> {stranger.id}"
        )
        assert _refused(stranger.id, f"DELETE FROM {table} WHERE {column} <> {stranger.id}")


def test_no_shop_adds_rows_to_another_one_in_any_table(app: Flask, as_owner: sa.Connection):
    theirs, stranger = build.a_shop(), build.a_shop()

    for table in tenant_tables(as_owner):
        statement = a_row_of(as_owner, table, theirs.id)
        with pytest.raises(DBAPIError, match="row-level security"), unit_of_work(stranger.id) as session:
            session.execute(sa.text(statement))


def test_no_shop_writes_rows_that_belong_to_nobody(app: Flask, as_owner: sa.Connection):
    shop = build.a_shop()
    as_owner.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
    nullable = as_owner.exec_driver_sql(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'shop_id' AND is_nullable = 'YES'"
    ).scalars()

    nobodys = set(nullable)
    assert nobodys
    for table in [table for table in parents_first(as_owner) if table in nobodys]:
        statement = a_row_of(as_owner, table, None)
        as_owner.exec_driver_sql(statement)
        with unit_of_work(shop.id) as session:
            seen = session.scalar(sa.text(f"SELECT count(*) FROM {table} WHERE shop_id IS NULL"))
        assert bool(seen) == ((table, "SELECT") in READABLE_BY_ALL), table
        assert _refused(shop.id, f"UPDATE {table} SET shop_id = {shop.id} WHERE shop_id IS NULL"), table
        assert _refused(shop.id, f"DELETE FROM {table} WHERE shop_id IS NULL"), table
        with pytest.raises(DBAPIError, match="row-level security"), unit_of_work(shop.id) as session:
            session.execute(sa.text(statement))


def test_a_shop_cannot_give_its_rows_to_another_one(app: Flask, as_owner: sa.Connection):
    mine, other = build.a_shop(), build.a_shop()
    with unit_of_work(mine.id) as session:
        session.add(Suppression(shop_id=mine.id, phone="+306900000001", source="manual"))

    with pytest.raises(DBAPIError, match="row-level security"), unit_of_work(mine.id) as session:
        session.execute(sa.text("UPDATE suppressions SET shop_id = :other"), {"other": other.id})


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET shop_id = shop_id", "DELETE FROM {}", "TRUNCATE {}"])
def test_not_even_the_owner_changes_what_is_append_only(as_owner: sa.Connection, table: str, change: str):
    with pytest.raises(DBAPIError, match="append-only"):
        as_owner.exec_driver_sql(change.format(table))


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET shop_id = shop_id", "DELETE FROM {}"])
def test_the_application_may_not_even_try_to_change_what_is_append_only(app: Flask, table: str, change: str):
    shop = build.a_shop()

    with db.engine.connect() as connection:
        refusal = databases.refusal_of_changes(connection)
    with pytest.raises(DBAPIError, match=refusal), unit_of_work(shop.id) as session:
        session.execute(sa.text(change.format(table)))


@pytest.mark.parametrize(("constraint", "enum"), ENUMS, ids=[name for name, _ in ENUMS])
def test_an_enum_in_the_code_is_the_check_in_the_database(
    as_owner: sa.Connection, constraint: str, enum: type[StrEnum]
):
    assert _allowed(as_owner)[constraint] == set(enum)


def test_every_check_that_lists_words_is_compared_with_an_enum(as_owner: sa.Connection):
    without_enum = {"ck_shops_currency", "ck_subscriptions_plan", "ck_subscriptions_billing_interval"}
    without_enum |= {"ck_subscriptions_currency", "ck_subscriptions_pending_currency"}
    without_enum |= {"ck_invoices_plan", "ck_subscriptions_pending_plan", "ck_subscriptions_pending_interval"}
    without_enum |= {"ck_send_attempts_state", "ck_ledger_accounts_balance"}
    without_enum |= {"ck_tax_evidence_currency"}
    compared = {name for name, _ in ENUMS} | without_enum

    assert set(_allowed(as_owner)) - compared == set()


def _allowed(connection: sa.Connection) -> dict[str, set[str]]:
    """The words that each CHECK of the form `column IN (…)` lists."""
    rows = connection.exec_driver_sql(
        "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    listing = [row for row in rows if "ANY (ARRAY" in row.definition]
    return {row.conname: set(re.findall(r"'(\w+)'::text", row.definition)) for row in listing}


def _filled(connection: sa.Connection) -> dict[str, str]:
    """Every tenant table, with a row of a new shop in each."""
    shop = build.a_shop()
    tables = tenant_tables(connection)
    connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
    for table in parents_first(connection):
        if table in tables and table not in {"shops", "subscriptions"}:  # the builder has made those
            connection.exec_driver_sql(a_row_of(connection, table, shop.id))
    for table in tables:
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar(), table
    return tables


def _refused(shop_id: int, statement: str) -> bool:
    """Whether the statement touches no row, be it that it sees none or that the role may not try."""
    try:
        with unit_of_work(shop_id) as session:
            touched: int = session.execute(sa.text(statement)).rowcount
    except DBAPIError as refusal:
        with db.engine.connect() as connection:
            return databases.refusal_of_changes(connection) in str(refusal)
    return touched == 0
