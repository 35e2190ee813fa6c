"""Field types for schemas: marshmallow's and ours under one name."""

from marshmallow.fields import *  # noqa: F403
from marshmallow.fields import __all__ as _marshmallow_fields

from app.core.http.schema import Id, Instant

__all__ = [*_marshmallow_fields, "Id", "Instant"]
