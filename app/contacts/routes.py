"""Contacts and the suppression list."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from flask import Response, g, request

from app.contacts import exporting, merging_two, service
from app.contacts.models import Contact, Suppression
from app.contacts.schemas import (
    BirthdayQuery,
    BirthdaysSchema,
    ContactChanges,
    ContactFilterQuery,
    ContactIn,
    ContactPageSchema,
    ContactQuery,
    ContactSchema,
    ContactStatsSchema,
    MergeIn,
    SuppressedSchema,
    SuppressIn,
    SuppressionPageSchema,
)
from app.core.cache import cached
from app.core.errors import ValidationFailed
from app.core.http import ApiBlueprint, Page, PageQuery
from app.core.http.arguments import JSON_BODY_MAX, BodyTooLarge, InvalidContentType
from app.core.http.download import download

blueprint = ApiBlueprint("contacts", __name__, description="Contacts, their consent, and who gets no texts")
CSV: dict[str, Any] = {"schema": {"type": "string"}, "content_type": "text/csv"}
FILE_BODY = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "CSV, or one number a line"}
    },
}


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


@blueprint.post("/contacts/merge")
@blueprint.arguments(MergeIn)
@blueprint.data(200, ContactSchema)
@blueprint.errors(404)
def merge_contacts(body: dict[str, Any]) -> Contact:
    """Make two contacts one: `keepId` stays with the facts of both, `mergeId` goes."""
    return merging_two.merge_contacts(g.shop_id, **body)


@blueprint.get("/contacts/export")
@blueprint.arguments(ContactFilterQuery, location="query")
@blueprint.response(200, **CSV)
@blueprint.errors(400, 401, 404)
def export_contacts(query: dict[str, Any]) -> Response:
    """Give the list as a CSV file, filtered and ordered like the list, with the evidence of consent."""
    return download(service.export_contacts(g.shop_id, query["wanted"]), "contacts.csv")


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


@blueprint.get("/suppressions/export")
@blueprint.response(200, **CSV)
@blueprint.errors(401)
def export_suppressions() -> Response:
    """Give the whole suppression list as a CSV file."""
    return download(exporting.suppressions_file(g.shop_id), "suppressions.csv")


@blueprint.post("/suppressions/import")
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}, "multipart/form-data": {"schema": FILE_BODY}},
    }
)
@blueprint.data(200, SuppressedSchema)
@blueprint.errors(413)
def import_suppressions() -> dict[str, Any]:
    """Opt a file of numbers out (CSV, or one number a line; at most 5 MB and 50,000 rows)."""
    return service.import_suppressions(g.shop_id, _uploaded())


@blueprint.delete("/suppressions/<phone>")
@blueprint.data(
    200, message="The number is no longer suppressed. It needs a new consent before it gets texts."
)
@blueprint.errors(404)
def unsuppress(phone: str) -> None:
    """Take a number off the suppression list."""
    service.unsuppress(g.shop_id, phone)


def _uploaded() -> bytes:
    """The file of a form, or the body that is one."""
    if (request.content_length or 0) > JSON_BODY_MAX:
        raise BodyTooLarge
    request.max_content_length = JSON_BODY_MAX + 1  # a chunked body tells no length and is cut off there
    if request.mimetype == "multipart/form-data":
        upload = request.files.get("file")
        if upload is None:
            raise ValidationFailed("file", "is missing: send a CSV file in the form field 'file'")
        with closing(upload):
            return bytes(upload.read())
    content: bytes = request.get_data()
    if len(content) > JSON_BODY_MAX:
        raise BodyTooLarge
    if request.mimetype not in {"text/csv", "text/plain"}:
        raise InvalidContentType("Send a CSV file: as text/csv, or in the field 'file' of a form.")
    return content
