"""What imports give. What they take is read per row, in `rows.py`: a bad row must not refuse a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.contacts.models import ContactImport, ContactImportError, ImportStatus
from app.core.csv import csv_file
from app.core.http import Schema, fields, page_schema


class ContactRowSchema(Schema):
    """One row, in the client's words; unusable values are reported, not refused."""

    phone_e164 = fields.String(data_key="phoneE164", required=True)
    first_name = fields.String(data_key="firstName", allow_none=True)
    last_name = fields.String(data_key="lastName", allow_none=True)
    email = fields.String(allow_none=True)
    gender = fields.String(allow_none=True)
    birth_date = fields.String(data_key="birthDate", allow_none=True, metadata={"example": "1990-05-15"})
    sms_consent = fields.String(data_key="smsConsent", allow_none=True)
    tags = fields.List(fields.String(), allow_none=True)


class ContactRowsSchema(Schema):
    contacts = fields.List(fields.Nested(ContactRowSchema), required=True)


class RowProblemSchema(Schema):
    row = fields.Integer(metadata={"description": "from 1, a header not counted"})
    field = fields.String()
    phone = fields.String(allow_none=True)
    value = fields.String(allow_none=True)
    error = fields.String(attribute="message")


class ImportResultSchema(Schema):
    total = fields.Integer()
    created = fields.Integer()
    updated = fields.Integer()
    skipped = fields.Integer()
    errors = fields.List(fields.Nested(RowProblemSchema), attribute="problems")
    imported = fields.Integer(attribute="created", dump_only=True)
    invalid = fields.Integer(attribute="skipped", dump_only=True)


class ImportAcceptedSchema(Schema):
    import_id = fields.Id(data_key="importId", attribute="id", dump_only=True)
    status = fields.String()


class ContactImportSchema(Schema):
    """`progress` is the percentage of the file's bytes; the counts are those of the rows that are in."""

    id = fields.Id()
    import_id = fields.Id(data_key="importId", attribute="id", dump_only=True)
    filename = fields.String()
    status = fields.String()
    progress = fields.Function(lambda one: progress(one))
    size_bytes = fields.Integer(data_key="sizeBytes")
    total = fields.Function(lambda one: one.created + one.updated + one.skipped)
    created = fields.Integer()
    updated = fields.Integer()
    skipped = fields.Integer()
    warnings = fields.Integer()
    failure = fields.String(allow_none=True)
    created_at = fields.Instant(data_key="createdAt")
    started_at = fields.Instant(data_key="startedAt", allow_none=True)
    finished_at = fields.Instant(data_key="finishedAt", allow_none=True)


class ImportErrorSchema(Schema):
    row = fields.Integer(metadata={"description": "from 1, the header not counted; 0 is the whole file"})
    field = fields.String()
    phone = fields.Function(lambda one: one.value if one.field == "phoneE164" else None)
    value = fields.String(allow_none=True)
    error = fields.String(attribute="message")


ContactImportPage = page_schema(ContactImportSchema, alias="imports")
ImportErrorPage = page_schema(ImportErrorSchema, alias="errors")


def progress(one: ContactImport) -> int:
    """Percent of the file; 100 only when it is done."""
    if one.status == ImportStatus.COMPLETED:
        return 100
    return min(99, one.done_bytes * 100 // one.size_bytes)


def errors_file(errors: Iterable[ContactImportError]) -> Iterator[str]:
    """The errors as a CSV file, piece by piece."""
    header = ("row", "field", "value", "error")
    return csv_file(header, ((one.row, one.field, one.value, one.message) for one in errors))
