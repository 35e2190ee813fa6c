"""Where people are in the tables, as SQL: looking them up, taking them out, showing them what is kept."""

from __future__ import annotations

from sqlalchemy import text

RECEIVE = text("""
    INSERT INTO privacy_requests (shop_id, inbox_id, kind) VALUES (:shop_id, :inbox_id, :kind)
    ON CONFLICT (shop_id, inbox_id) DO NOTHING RETURNING id""")
NEXT_WAITING = text("""
    SELECT id, kind, inbox_id FROM privacy_requests
    WHERE shop_id = :shop_id AND status = 'waiting' AND id > :after AND kind <> 'data_request'
    ORDER BY id LIMIT 1""")
WAITING_SHOPS = text("""
    SELECT DISTINCT shop_id FROM privacy_requests WHERE status = 'waiting' AND kind <> 'data_request'""")
# Counts add up over the rounds of a large erasure.
COUNT = text("""
    UPDATE privacy_requests SET counts = counts || coalesce((
      SELECT jsonb_object_agg(new.key, new.value::bigint + coalesce((counts ->> new.key)::bigint, 0))
      FROM jsonb_each_text(CAST(:counts AS jsonb)) AS new), '{}')
    WHERE shop_id = :shop_id AND id = :id AND status = 'waiting'""")
SETTLE = text("""
    UPDATE privacy_requests SET status = :status, reason = :reason, done_at = :at
    WHERE shop_id = :shop_id AND id = :id AND status = 'waiting'""")
FETCHED = text("""
    UPDATE privacy_requests SET fetched_at = coalesce(fetched_at, :at), status = 'done',
      done_at = coalesce(done_at, :at)
    WHERE shop_id = :shop_id AND id = :id""")

# Whom a request is about: what Shopify said.
SUBJECT = text("""
    SELECT payload FROM webhook_inbox
    WHERE id = :inbox_id AND shop_id = :shop_id AND provider = 'shopify' AND NOT payload ? 'redacted'""")
CONTACTS_OF = text("""
    SELECT id, phone, email FROM contacts
    WHERE shop_id = :shop_id AND (
      shopify_customer_id = :customer_id OR phone = :phone
      OR (email = :email AND (shopify_customer_id IS NULL OR shopify_customer_id = :customer_id)))
    ORDER BY id""")
# Numbers that the person had before, as the consent that moved along with them tells.
EARLIER_PHONES = text("""
    WITH RECURSIVE had (phone) AS (
      SELECT unnest(CAST(:phones AS text[]))
      UNION
      SELECT e.evidence ->> 'previous_phone' FROM had
      JOIN consent_events e ON e.shop_id = :shop_id AND e.phone = had.phone
      WHERE e.evidence ? 'previous_phone')
    SELECT phone FROM had WHERE phone LIKE '+%'""")

REDACT_CONSENT = text("SELECT redact_consent_events(:shop_id, CAST(:phones AS text[]), :most)")
ERASE_CONTACTS = text("""
    DELETE FROM contacts WHERE shop_id = :shop_id AND id = ANY(CAST(:contact_ids AS bigint[]))""")
ERASE_CONFIRMATIONS = text("""
    DELETE FROM opt_in_confirmations WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[]))""")
ERASE_IMPORT_ERRORS = text("""
    UPDATE contact_import_errors SET value = NULL
    WHERE shop_id = :shop_id AND value = ANY(CAST(:words AS text[]))""")
# An order's sums stay: reports and the books of the merchant rest on them.
ERASE_ORDERS = text("""
    UPDATE orders SET contact_id = NULL, city = NULL, country = NULL, landing_site = NULL,
      checkout_token = NULL, cart_token = NULL
    WHERE shop_id = :shop_id AND (contact_id = ANY(CAST(:contact_ids AS bigint[]))
      OR shopify_id = ANY(CAST(:order_ids AS bigint[])))""")
ERASE_PARCELS = text("""
    UPDATE fulfilments f SET tracking_number = NULL, tracking_url = NULL
    FROM orders o WHERE o.shop_id = :shop_id AND f.shop_id = o.shop_id AND f.order_id = o.id
      AND (o.contact_id = ANY(CAST(:contact_ids AS bigint[]))
        OR o.shopify_id = ANY(CAST(:order_ids AS bigint[])))""")
ERASE_CHECKOUTS = text("""
    DELETE FROM checkouts WHERE shop_id = :shop_id AND contact_id = ANY(CAST(:contact_ids AS bigint[]))""")
# Events of Shopify that tell of the person, also those that nobody has worked on yet; and guests' checkouts.
SCRUB_INBOX = text("""
    UPDATE webhook_inbox SET payload = '{"redacted": true}', customer_id = NULL,
      processed_at = coalesce(processed_at, now()), outcome = CASE WHEN processed_at IS NULL THEN 'redacted'
                                                              ELSE outcome END
    WHERE provider = 'shopify' AND shop_id = :shop_id AND id <> :inbox_id
      AND (customer_id = :customer_id OR object_key = ANY(CAST(:object_keys AS text[]))
        OR payload ->> 'phone' = ANY(CAST(:phones AS text[])) OR payload ->> 'email' = :email)
      AND NOT payload ? 'redacted'""")
# By table, in this order: what leads to the contact's rows goes before the contact.
ERASE = {
    "fulfilments": ERASE_PARCELS,
    "orders": ERASE_ORDERS,
    "checkouts": ERASE_CHECKOUTS,
    "opt_in_confirmations": ERASE_CONFIRMATIONS,
    "contact_import_errors": ERASE_IMPORT_ERRORS,
    "contacts": ERASE_CONTACTS,
    "webhook_inbox": SCRUB_INBOX,
}
SCRUB_REQUEST = text("""
    UPDATE webhook_inbox SET payload = '{"redacted": true}', customer_id = NULL
    WHERE id = :inbox_id AND shop_id = :shop_id""")
SCRUB_REPLIES = text("""
    UPDATE webhook_inbox SET payload = '{"redacted": true}', processed_at = coalesce(processed_at, now())
    WHERE provider = 'mitto' AND id = ANY(CAST(:inbox_ids AS bigint[]))""")

# A whole shop: its texts and its own names.
SCRUB_RUNS = text("""
    UPDATE message_runs SET text = '(erased)', links = '{}', sender = ''
    WHERE shop_id = :shop_id AND text <> '(erased)'""")
SCRUB_SHOP = text("""
    UPDATE shops SET name = NULL, sender_name = NULL, sender_number = NULL, base_url = NULL,
      updated_at = now()
    WHERE id = :shop_id""")
REVOKE_KEYS = text("UPDATE api_keys SET revoked_at = now() WHERE shop_id = :shop_id AND revoked_at IS NULL")
SUPPRESSED_PHONES = text("SELECT phone FROM suppressions WHERE shop_id = :shop_id ORDER BY phone LIMIT :most")

EXPORT = {
    "contacts": text("""
        SELECT id, phone, email, first_name, last_name, gender, birth_date, tags, consent, consent_at,
          consent_source, orders_count, first_order_at, last_order_at, created_at
        FROM contacts WHERE shop_id = :shop_id AND id = ANY(CAST(:contact_ids AS bigint[])) ORDER BY id"""),
    "consentEvents": text("""
        SELECT phone, action, source, wording, evidence, at FROM consent_events
        WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) ORDER BY id"""),
    "suppressions": text("""
        SELECT phone, source, created_at FROM suppressions
        WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[]))"""),
    "messages": text("""
        SELECT m.id, m.phone, m.first_name, m.last_name, m.merge, r.text AS wording, r.sender, m.state,
          m.created_at, m.sent_at
        FROM messages m JOIN message_runs r ON r.shop_id = m.shop_id AND r.id = m.run_id
        WHERE m.shop_id = :shop_id AND m.phone = ANY(CAST(:phones AS text[])) ORDER BY m.id"""),
    "clicks": text("""
        SELECT c.message_id, c.link_no, c.clicked_at FROM click_events c
        JOIN messages m ON m.shop_id = c.shop_id AND m.id = c.message_id
        WHERE c.shop_id = :shop_id AND m.phone = ANY(CAST(:phones AS text[])) ORDER BY c.id"""),
    "replies": text("""
        SELECT phone, text, intent, received_at FROM inbound_messages
        WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) ORDER BY id"""),
    "orders": text("""
        SELECT name, placed_at, currency, total_cents, refunded_cents, discount_codes, items, city, country
        FROM orders WHERE shop_id = :shop_id AND (contact_id = ANY(CAST(:contact_ids AS bigint[]))
          OR shopify_id = ANY(CAST(:order_ids AS bigint[]))) ORDER BY id"""),
    "checkouts": text("""
        SELECT started_at, completed_at, items, subtotal_cents, currency FROM checkouts
        WHERE shop_id = :shop_id AND contact_id = ANY(CAST(:contact_ids AS bigint[])) ORDER BY id"""),
    "optInConfirmations": text("""
        SELECT phone, first_name, last_name, gender, birth_date, wording, created_at, confirmed_at
        FROM opt_in_confirmations
        WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) ORDER BY id"""),
}
