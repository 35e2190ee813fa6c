"""Refusals about the tie between a shop and Shopify."""

from __future__ import annotations

from app.core.errors import Conflict, DomainError, InvalidToken


class NotConnected(Conflict):
    code = "SHOPIFY_NOT_CONNECTED"
    message = "The shop is not connected to Shopify. Please open the app from your Shopify admin."


class ShopifyAway(DomainError):
    status = 503
    code = "EXTERNAL_SERVICE_ERROR"
    message = "Shopify does not answer at the moment. Please try again in a minute."


class NotFromShopify(InvalidToken):
    code = "INVALID_SIGNATURE"
    message = "This link was not made by Shopify."


class InstallRefused(DomainError):
    """The sign-in at Shopify cannot be finished; the merchant may begin again."""

    code = "INSTALL_REFUSED"
    message = "The sign-in could not be finished. Please start again."
