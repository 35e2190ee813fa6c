"""Files that are made while they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from flask import Flask, Response, current_app

CSV = "text/csv; charset=utf-8"


def download(pieces: Iterator[str], filename: str, *, content_type: str = CSV) -> Response:
    """An answer that a browser keeps as a file. `pieces` is read as they leave, and no cache keeps them."""
    app = cast(Any, current_app)._get_current_object()
    response = Response(_each_by_itself(app, pieces), content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _each_by_itself(app: Flask, pieces: Iterator[str]) -> Iterator[str]:
    """The pieces, each made in an app context of its own: a reader who stalls or leaves holds nothing."""
    while True:
        with app.app_context():
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
