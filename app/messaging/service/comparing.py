"""What other texts would cost the same people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select

from app.core.uow import require_unit_of_work
from app.messaging.pricing import credits_of, shape_of
from app.messaging.text.template import compile_template


def differences(text: str, others: Collection[str], recipients: Select[Any]) -> dict[str, int]:
    """By other text: how many credits less than the frozen `text` it costs `recipients`. A step; reads only.

    One statement prices them all, texts of one shape once; none is needed when all have the shape of `text`.
    """
    shapes = {other: shape_of(compile_template(other)) for other in others}
    own = shape_of(compile_template(text))
    examples = {shape: other for other, shape in shapes.items()} | {own: text}
    if len(examples) == 1:
        return dict.fromkeys(others, 0)
    audience = recipients.subquery("audience")
    sums = [
        cast(func.coalesce(func.sum(credits_of(compile_template(one), audience)), 0), BigInteger)
        for one in examples.values()
    ]
    row = require_unit_of_work().execute(select(*sums).select_from(audience)).one()
    credits = dict(zip(examples, row, strict=True))
    return {other: int(credits[own] - credits[shape]) for other, shape in shapes.items()}
