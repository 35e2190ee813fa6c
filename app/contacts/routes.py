"""Contacts and the suppression list."""

from __future__ import annotations

from typing import Any

from flask import g

from app.contacts import service
from app.contacts.models import Contact, Suppression
from app.contacts.schemas import (
    BirthdayQuery,
    BirthdaysSchema,
    ContactChanges,
    ContactIn,
    ContactPageSchema,
    ContactQuery,
    ContactSchema,
    ContactStatsSchema,
    SuppressedSchema,
    SuppressIn,
    SuppressionPageSchema,
)
from app.core.cache import cached
from app.core.http import ApiBlueprint, Page, PageQuery

blueprint = ApiBlueprint("contacts", __name__, description="Contacts, their consent, and who gets no texts")


@blueprint.get("/contacts")
@cached("contacts", "audiences", seconds=120)
@blueprint.arguments(ContactQuery, location="query")
@blueprint.data(200, ContactPageSchema)
@blueprint.errors(404)
def list_contacts(query: dict[str, Any]) -> service.ContactPage:
    """List contacts: search, filter, sort, page by page."""
    return service.list_contacts(g.shop_id, **query)


@blueprint.post("/contacts")
@blueprint.arguments(ContactIn)
@blueprint.data(201, ContactSchema)
@blueprint.errors(409)
def create_contact(body: dict[str, Any]) -> Contact:
    """Add a contact."""
    return service.create_contact(g.shop_id, body)


@blueprint.get("/contacts/stats")
@cached("contacts", seconds=300)
@blueprint.data(200, ContactStatsSchema)
def contact_stats() -> dict[str, Any]:
    """Count contacts by consent, gender and birth date."""
    return service.contact_stats(g.shop_id)


@blueprint.get("/contacts/birthdays")
@blueprint.arguments(BirthdayQuery, location="query")
@blueprint.data(200, BirthdaysSchema)
def upcoming_birthdays(query: dict[str, Any]) -> dict[str, Any]:
    """List opted-in contacts whose birthday is today or soon."""
    return service.upcoming_birthdays(g.shop_id, **query)


@blueprint.get("/contacts/<id:contact_id>")
@blueprint.data(200, ContactSchema)
@blueprint.errors(404)
def show_contact(contact_id: int) -> Contact:
    """Show a contact."""
    return service.find_contact(g.shop_id, contact_id)


@blueprint.put("/contacts/<id:contact_id>")
@blueprint.arguments(ContactChanges)
@blueprint.data(200, ContactSchema)
@blueprint.errors(404, 409)
def update_contact(body: dict[str, Any], contact_id: int) -> Contact:
    """Change some of a contact's fields; null clears, what is absent stays."""
    return service.update_contact(g.shop_id, contact_id, body)


@blueprint.delete("/contacts/<id:contact_id>")
@blueprint.data(200, message="The contact has been deleted.")
@blueprint.errors(404)
def delete_contact(contact_id: int) -> None:
    """Delete a contact. Messages sent to it and its opt-out stay."""
    service.delete_contact(g.shop_id, contact_id)


@blueprint.get("/suppressions")
@blueprint.arguments(PageQuery, location="query")
@blueprint.data(200, SuppressionPageSchema)
def list_suppressions(query: dict[str, Any]) -> Page[Suppression]:
    """List the numbers that get no texts from this shop."""
    return service.list_suppressions(g.shop_id, **query)


@blueprint.post("/suppressions")
@blueprint.arguments(SuppressIn)
@blueprint.data(200, SuppressedSchema)
def suppress(body: dict[str, Any]) -> dict[str, Any]:
    """Opt numbers out, contacts or not. Numbers that cannot be read are reported by row."""
    return service.suppress(g.shop_id, body["phones"])


@blueprint.delete("/suppressions/<phone>")
@blueprint.data(
    200, message="The number is no longer suppressed. It needs a new consent before it gets texts."
)
@blueprint.errors(404)
def unsuppress(phone: str) -> None:
    """Take a number off the suppression list."""
    service.unsuppress(g.shop_id, phone)
