"""Refusals about shops and sign-in."""

from __future__ import annotations

from app.core.errors import DomainError, Forbidden


class ShopNotFound(DomainError):
    status = 401
    code = "STORE_NOT_FOUND"
    message = "This shop has not installed the app."


class TenantMismatch(Forbidden):
    code = "TENANT_MISMATCH"
    message = "The shop in the header is not the shop you are signed in to."
