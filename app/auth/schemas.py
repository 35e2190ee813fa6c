"""What sign-in takes and gives."""

from __future__ import annotations

from app.core.http import Schema, fields


class SessionTokenIn(Schema):
    session_token = fields.String(required=True, data_key="sessionToken")


class ShopIn(Schema):
    shop = fields.String(required=True, metadata={"description": "name or myshopify.com domain"})


class CallbackIn(Schema):
    """What Shopify sends the merchant back with. The signature covers every parameter, named here or not."""

    code = fields.String()
    shop = fields.String()
    state = fields.String()
    hmac = fields.String()
    timestamp = fields.String()
    host = fields.String()


class StoreSchema(Schema):
    id = fields.Id()
    shop_domain = fields.String(data_key="shopDomain")
    shop_name = fields.String(data_key="shopName")
    credits = fields.Integer()
    currency = fields.String()


class SignedInSchema(Schema):
    token = fields.String()
    store = fields.Nested(StoreSchema)
    expires_in = fields.String(data_key="expiresIn")


class RefreshedSchema(Schema):
    token = fields.String()
    expires_in = fields.String(data_key="expiresIn")


class TokenFactsSchema(Schema):
    store_id = fields.Id(data_key="storeId")
    source = fields.String()
    exp = fields.Integer()


class VerifiedSchema(Schema):
    valid = fields.Boolean()
    store = fields.Nested(StoreSchema)
    token = fields.Nested(TokenFactsSchema)


class WhoamiShopSchema(Schema):
    id = fields.Id()
    shop_domain = fields.String(data_key="shopDomain")
    credits = fields.Integer()
    currency = fields.String()
    timezone = fields.String()


class WhoamiSchema(Schema):
    success = fields.Boolean()
    shop = fields.Nested(WhoamiShopSchema)
