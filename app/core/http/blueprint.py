"""Blueprints whose routes return plain values: the envelope, the errors and the documentation are added
here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import marshmallow as ma
from flask import Response
from flask_smorest import Blueprint

from app.core.http.arguments import StrictParser
from app.core.http.envelope import envelope, envelope_schema
from app.core.http.schema import Schema

Route = Callable[..., Any]


class ProblemDetailSchema(Schema):
    field = ma.fields.String()
    message = ma.fields.String()


class ProblemSchema(Schema):
    """What every refusal looks like."""

    success = ma.fields.Boolean(metadata={"example": False})
    error = ma.fields.String(metadata={"description": "the same word as `code`"})
    code = ma.fields.String(metadata={"example": "VALIDATION_ERROR"})
    message = ma.fields.String()
    details = ma.fields.List(ma.fields.Nested(ProblemDetailSchema))
    meta = ma.fields.Dict()
    requestId = ma.fields.String()  # noqa: N815
    timestamp = ma.fields.String()
    path = ma.fields.String()
    method = ma.fields.String()


class ApiBlueprint(Blueprint):
    """A blueprint of tenant routes, or of `public` ones that need no credential."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, *, public: bool = False, **kwargs: Any) -> None:
        super().__init__(name, import_name, **kwargs)
        self.public = public

    def data(
        self,
        status: int,
        schema: type[ma.Schema] | None = None,
        *,
        many: bool = False,
        mirror: bool = False,
        message: str | None = None,
    ) -> Callable[[Route], Route]:
        """The route's return value becomes `data` of the success envelope, dumped by `schema`."""
        documented = self.response(status, envelope_schema(schema, many=many, mirror=mirror))

        def decorate(route: Route) -> Route:
            @wraps(route)
            def enveloped(*args: Any, **kwargs: Any) -> Any:
                result = route(*args, **kwargs)
                return result if isinstance(result, Response) else envelope(result, message)

            standard = (400,) if self.public else (400, 401)
            return self.errors(*standard)(documented(enveloped))

        return decorate

    def errors(self, *statuses: int) -> Callable[[Route], Route]:
        """Document that the route may answer with these error statuses."""

        def decorate(route: Route) -> Route:
            for status in statuses:
                route = self.alt_response(status, schema=ProblemSchema)(route)
            return route

        return decorate
