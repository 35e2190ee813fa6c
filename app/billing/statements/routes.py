"""Monthly statements, to look at and to give to an accountant."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from app.billing.statements.months import Month, months_of
from app.billing.statements.pdf import pdf
from app.billing.statements.reckoning import statement_of
from app.billing.statements.schemas import MonthQuery, StatementsSchema
from app.billing.statements.wording import Line, lines
from app.core.csv import csv_file
from app.core.http import ApiBlueprint
from app.core.http.download import CSV, download

blueprint = ApiBlueprint("statements", __name__, description="The shop's months in credits and money")
PDF = "application/pdf"
COLUMNS = list(Line.__dataclass_fields__)
CSV_FILE: dict[str, Any] = {"schema": {"type": "string"}, "content_type": CSV.partition(";")[0]}
PDF_FILE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}, "content_type": PDF}


@blueprint.get("/billing/statements")
@blueprint.arguments(MonthQuery, location="query")
@blueprint.data(200, StatementsSchema)
def list_statements(query: dict[str, Any]) -> dict[str, list[Month]]:
    """List the months that the shop has statements for, the newest first."""
    wanted = query["month"]
    return {"statements": [month for month in months_of(g.shop) if wanted in {None, month.name}]}


@blueprint.get("/billing/statements/<month>.csv")
@blueprint.response(200, **CSV_FILE)
@blueprint.errors(401, 404)
def statement_as_csv(month: str) -> Response:
    """Download a month's statement as a table: a row for each movement, sum and payment."""
    statement = statement_of(g.shop_id, month)
    rows = (line.cells() for line in lines(statement))
    return download(csv_file(COLUMNS, rows), f"statement-{statement.month.name}.csv")


@blueprint.get("/billing/statements/<month>.pdf")
@blueprint.response(200, **PDF_FILE)
@blueprint.errors(401, 404)
def statement_as_pdf(month: str) -> Response:
    """Download a month's statement for printing."""
    statement = statement_of(g.shop_id, month)
    response = Response(pdf(statement), content_type=PDF)
    name = f"statement-{statement.month.name}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
