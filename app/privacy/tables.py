"""What becomes of every table of a shop that is erased. A new table must be named here: a test asks."""

from __future__ import annotations

# Emptied, in this order: nothing is deleted before what refers to it.
EMPTIED = (
    "webhook_inbox",
    "reconciliations",
    "webhook_subscriptions",
    "shopify_connections",
    "billing_profiles",
    "recharge_settings",
    "billing_alerts",
    "segment_members",
    "segments",
    "opt_in_confirmations",
    "enquiries",
    "contact_import_chunks",
    "contact_import_errors",
    "contact_imports",
    "order_attributions",
    "run_codes",
    "discount_codes",
    "discount_pools",
    "fulfilments",
    "orders",
    "checkouts",
    "automation_attempts",
    "automation_entries",
    "automation_steps",
    "automation_cursors",
    "automations",
    "consent_refusals",
    "consent_pushes",
    "customer_imports",
    "contacts",
    "contact_words",
    "suppressions",
    "inbound_messages",
    "click_events",
    "campaign_quotes",
    "campaigns",
    "price_caps",
    "idempotency_keys",
)
# What law or proof needs stays, with nobody in it.
KEPT = {
    "shops": "its domain only: invoices and credits hang on it, and a new installation goes on with it",
    "subscriptions": "what was paid for",
    "invoices": "what was paid, and when: Stripe keeps the documents",
    "ledger_accounts": "the merchant's credits",
    "ledger_transfers": "every movement of credits, append-only",
    "ledger_seals": "hashes that prove the transfers, append-only",
    "purchases": "what was sold and taxed, which tax law keeps for ten years; the audit proves credits by it",
    "tax_evidence": "why each sale was taxed so, which tax law keeps for ten years; append-only",
    "credit_holds": "what each run spent",
    "message_runs": "without its text: the books rest on its counters",
    "messages": "without phone, names and values: the books rest on parts and states",
    "send_attempts": "calls to the carrier: numbers only",
    "run_quarters": "sums",
    "contact_counts": "sums, all zero without contacts",
    "audience_counts": "sums, all zero without contacts",
    "templates": "the merchant's own texts, with no people in them",
    "template_versions": "the same; append-only",
    "template_usage": "how often a text was used",
    "api_keys": "revoked",
    "consent_events": "that a consent was given or withdrawn, when and where, but not whose: append-only",
    "suppressed_hashes": "opt-outs that nobody can read back",
    "privacy_requests": "the proof of what was done",
    "activity": "who did what to which id: names nobody, append-only",
}

# What Stripe told of payments and nobody has worked on yet stays for the books, a month beyond its end.
BUT_OF_INBOX = " AND id <> :inbox_id AND NOT (provider = 'stripe' AND processed_at IS NULL)"
EMPTY = """
    DELETE FROM {table} WHERE ctid = ANY(ARRAY(
      SELECT ctid FROM {table} WHERE shop_id = :shop_id{but} LIMIT :most))"""


def emptying(table: str) -> str:
    """The statement that deletes up to `most` rows of a shop. The request itself stays until all is done."""
    return EMPTY.format(table=table, but=BUT_OF_INBOX if table == "webhook_inbox" else "")
