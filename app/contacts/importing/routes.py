"""Importing contacts: a list in the request, or a file that a job takes in."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from flask import Response, g, jsonify, make_response, request

from app.contacts.importing import service
from app.contacts.importing.schemas import (
    ContactImportPage,
    ContactImportSchema,
    ContactRowsSchema,
    ImportAcceptedSchema,
    ImportErrorPage,
    ImportResultSchema,
    errors_file,
)
from app.contacts.models import ContactImport, ContactImportError
from app.core.errors import DomainError, ValidationFailed
from app.core.http import ApiBlueprint, Page, PageQuery
from app.core.http.arguments import JSON_BODY_MAX, BodyTooLarge, InvalidContentType, InvalidJson
from app.core.http.download import download
from app.core.http.envelope import envelope, envelope_schema
from app.core.settings import settings

blueprint = ApiBlueprint("contact-imports", __name__, description="Bringing in lists of contacts")
AcceptedEnvelope = envelope_schema(ImportAcceptedSchema)
FILE_BODY = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "CSV with a header row"}},
}


class FileTooLarge(DomainError):
    status = 413
    code = "REQUEST_TOO_LARGE"

    def __init__(self) -> None:
        super().__init__(
            f"The file is larger than {settings().import_max_bytes // 1_000_000} MB.", field="file"
        )


@blueprint.post("/contacts/import")
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {
            "application/json": {"schema": ContactRowsSchema},
            "multipart/form-data": {"schema": FILE_BODY},
        },
    }
)
@blueprint.data(200, ImportResultSchema)
@blueprint.alt_response(202, schema=AcceptedEnvelope, description="The file will be taken in by a job")
@blueprint.errors(413)
def import_contacts() -> service.ImportResult | Response:
    """Import 1 to 1000 contacts at once (JSON), or hand in a CSV file (multipart, field `file`)."""
    if request.mimetype == "multipart/form-data":
        return _accept_file()
    return service.import_rows(g.shop_id, _rows(), request_id=g.request_id)


@blueprint.get("/contacts/imports")
@blueprint.arguments(PageQuery, location="query")
@blueprint.data(200, ContactImportPage)
def list_imports(query: dict[str, Any]) -> Page[ContactImport]:
    """The imports of files, newest first."""
    return service.imports(g.shop_id, page=query["page"], page_size=query["page_size"])


@blueprint.get("/contacts/imports/<id:import_id>")
@blueprint.data(200, ContactImportSchema)
@blueprint.errors(404)
def show_import(import_id: int) -> ContactImport:
    """How far an import is."""
    return service.find_import(g.shop_id, import_id)


@blueprint.get("/contacts/imports/<id:import_id>/errors")
@blueprint.arguments(PageQuery, location="query")
@blueprint.data(200, ImportErrorPage)
@blueprint.errors(404)
def list_import_errors(query: dict[str, Any], import_id: int) -> Page[ContactImportError] | Response:
    """What was not taken as written, row by row; with `Accept: text/csv` all of it as a file."""
    if request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv":
        return _errors_file(import_id)
    return service.errors(g.shop_id, import_id, page=query["page"], page_size=query["page_size"])


def _rows() -> list[object]:
    """The rows of a JSON body, unchecked: what is wrong with one of them is said of that row."""
    if (request.content_length or 0) > JSON_BODY_MAX:
        raise BodyTooLarge
    raw = request.get_data()
    if len(raw) > JSON_BODY_MAX:  # a chunked body does not tell its length beforehand
        raise BodyTooLarge
    if raw.strip() and not request.is_json:
        raise InvalidContentType
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as broken:
        raise InvalidJson from broken
    rows = body.get("contacts") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ValidationFailed("contacts", f"must be a list of 1 to {service.ROWS_MAX} rows")
    return rows


def _accept_file() -> Response:
    if (request.content_length or 0) > settings().import_max_bytes:
        raise FileTooLarge
    # werkzeug keeps 500 kB of a file in memory and the rest on disk
    upload = request.files.get("file")
    if upload is None:
        raise ValidationFailed("file", "is missing: send a CSV file in the form field 'file'")
    with closing(upload):
        accepted = service.accept_file(g.shop_id, upload.filename or "", upload.stream)
    return make_response(jsonify(AcceptedEnvelope().dump(envelope(accepted))), 202)


def _errors_file(import_id: int) -> Response:
    found = service.find_import(g.shop_id, import_id)
    lines = errors_file(service.all_errors(g.shop_id, found.id))
    return download(lines, f"import-{found.id}-errors.csv")
