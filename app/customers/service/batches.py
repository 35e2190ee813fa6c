"""A batch of lines into contacts, and the counts that the merchant sees."""

from __future__ import annotations

from app.contacts import shopify_customers as contacts
from app.contacts.importing.customers import CustomerRow, merge_customers, one_each
from app.contacts.models import Consent
from app.contacts.shopify_customers import Customer, StatedConsent
from app.core.clock import now
from app.core.phones import parse_phone
from app.customers.models import CustomerImport
from app.customers.service.exported import Left, read_line
from app.integrations.shopify.downloads import Line
from app.integrations.shopify.events import instant
from app.shops import service as shops


def take(job: CustomerImport, batch: list[Line]) -> None:
    """Take in the lines behind those that are done, and count them. A step; the caller commits the place."""
    country = shops.find_shop(job.shop_id).country
    moment = now()
    rows: list[CustomerRow] = []
    for number, line in enumerate(batch, job.done_rows + 1):
        read = Left.UNREADABLE if line.content is None else read_line(number, line.content, country, moment)
        if read is Left.UNREADABLE:
            job.unreadable += 1
        elif read is Left.NO_PHONE:
            job.skipped += 1
        elif isinstance(read, CustomerRow):
            rows.append(read)
    merged = merge_customers(job.shop_id, one_each(rows))
    by_number = {row.number: row for row in rows}
    for number in merged.moved:
        _follow(job.shop_id, by_number[number])
    job.created += merged.created
    job.updated += len(rows) - merged.created
    job.emails_taken += merged.emails_taken
    job.opt_outs_kept += merged.opt_outs_kept
    job.done_rows += len(batch)


def forget_counts(job: CustomerImport) -> None:
    """Begin to count anew: the lines come again."""
    job.created = job.updated = job.skipped = job.unreadable = 0
    job.emails_taken = job.opt_outs_kept = 0


def _follow(shop_id: int, row: CustomerRow) -> None:
    """A customer whose number was changed while we were not connected: rare, and a matter of consent."""
    phone = parse_phone(row.phone, row.region)
    contact = contacts.find(shop_id, row.shopify_id, (), None)
    updated_at = instant(row.updated_at)
    known_at = contact.shopify_updated_at if contact else None
    if contact is None or (known_at and (updated_at is None or updated_at < known_at)):
        return
    stated = StatedConsent(Consent(row.consent or Consent.UNKNOWN), instant(row.consent_at))
    customer = Customer(
        row.shopify_id, phone, row.email, row.first_name, row.last_name, row.tags, stated, updated_at
    )
    contacts.write(shop_id, contact, customer)
    contacts.change_phone(shop_id, contact, phone, stated, updated_at or now(), {"import": True})
    contact.shopify_updated_at = updated_at
