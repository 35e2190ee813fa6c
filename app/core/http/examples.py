"""Example values, made from what schemas declare: a field's own `example` first, then its name and type.

A field with `x-in-examples: false` is left out: one of two that exclude each other.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# What property names stand for all over the API.
BY_NAME: dict[str, Any] = {
    "action": "contact.created",
    "apiVersion": "v1",
    "audience": "all",
    "baseUrl": "https://olives.example",
    "birthDate": "1990-05-15",
    "birthday": "1990-05-15",
    "category": "Fashion & Apparel",
    "content": "Hi {{firstName}}, 20% off everything until Sunday.",
    "country": "GR",
    "currency": "EUR",
    "billingCurrency": "EUR",
    "date": "2026-01-20",
    "email": "maria@example.com",
    "eshopType": "fashion",
    "expiresIn": "30d",
    "filename": "my-list.csv",
    "firstName": "Maria",
    "gender": "female",
    "lastName": "Papadopoulou",
    "message": "Hi {{firstName}}, 20% off everything until Sunday.",
    "name": "Summer sale",
    "pageUrl": "https://olive-house.myshopify.com/pages/texts",
    "path": "/campaigns",
    "consentStatus": "opted_in",
    "method": "GET",
    "phone": "+306912345678",
    "phoneE164": "+306912345678",
    "priority": "normal",
    "phones": "+306912345678",
    "previewImage": "https://olives.example/preview.png",
    "requestId": "5f0c1a52d4e14b6c8e0f3a7b9c2d1e40",
    "scheduleType": "immediate",
    "senderId": "OliveHouse",
    "senderName": "OliveHouse",
    "senderNumber": "+306912345678",
    "shopDomain": "olive-house.myshopify.com",
    "shopName": "Olive House",
    "smsConsent": "opted_in",
    "smsConsentStatus": "opted_in",
    "status": "completed",
    "statusRaw": "completed",
    "tags": "vip",
    "text": "Hi {{firstName}}, 20% off everything until Sunday.",
    "timestamp": "2026-01-20T10:00:00.000Z",
    "timezone": "Europe/Athens",
    "title": "Weekend offer",
    "token": "AAAAAq3fT0kx9Vd1",
    "trigger": "welcome",
    "userMessage": "Hi {{firstName}}, welcome to our shop!",
    "triggerEvent": "welcome",
}
BY_FORMAT = {
    "date": "2026-01-20",
    "date-time": "2026-01-20T10:00:00.000Z",
    "email": "maria@example.com",
    "uri": "https://olives.example",
}
DEEPEST = 12


def example_of(schema: Json, components: Json, name: str = "", depth: int = 0) -> Any:
    """A value that `schema` allows. `components` are the schemas that it may refer to."""
    schema = _resolved(schema, components)
    for given in ("example", "default"):
        if schema.get(given) is not None:
            return schema[given]
    if schema.get("enum"):
        return next(word for word in schema["enum"] if word is not None)
    if depth >= DEEPEST:
        return None
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), components, name, depth + 1)]
    if "properties" in schema or schema.get("type") == "object":
        return {
            key: example_of(inner, components, key, depth + 1)
            for key, inner in schema.get("properties", {}).items()
            if inner.get("x-in-examples", True)
        }
    return _simple(schema, name)


def _resolved(schema: Json, components: Json) -> Json:
    """The schema behind a reference, or behind the first of several that it combines."""
    while True:
        if "$ref" in schema:
            schema = components[schema["$ref"].rpartition("/")[2]]
        elif combined := schema.get("allOf") or schema.get("anyOf") or schema.get("oneOf"):
            schema = {**{key: value for key, value in schema.items() if key == "example"}, **combined[0]}
        else:
            return schema


def _simple(schema: Json, name: str) -> Any:
    kind = schema.get("type")
    if kind == "boolean":
        return True
    if kind in {"integer", "number"}:
        return max(1, schema.get("minimum", 1)) if kind == "integer" else 1.5
    if "format" in schema:
        return BY_FORMAT.get(schema["format"], "")
    if name in BY_NAME:
        return BY_NAME[name]
    if name == "id" or name.endswith(("Id", "Ids")):
        return "42"
    return "text" if kind else {}
