"""`/v1/checkout/sessions`."""

from urllib.parse import urlsplit

from app.sandbox.stripe import checkout, sessions
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed, page_of
from app.sandbox.stripe.errors import MissingParameter, Refusal
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.links import page
from app.sandbox.stripe.parameters import (
    anything,
    boolean,
    integer,
    many,
    members,
    merged,
    metadata,
    text,
    word,
)
from app.sandbox.stripe.payments import require_amount
from app.sandbox.stripe.store import Document

SOONEST, LATEST = 30 * 60, 24 * 3600  # of `expires_at`, in seconds after the creation
SLACK = 60  # a clock that is a little slow is forgiven
ON = members(enabled=boolean, liability=anything, required=text())
RECURRING = members(interval=word("day", "week", "month", "year"), interval_count=integer(1, 12))
PRICE_DATA = members(
    currency=text(3),
    product=text(),
    product_data=members(
        name=text(), description=text(), metadata=metadata, images=many(text()), tax_code=text()
    ),
    recurring=RECURRING,
    tax_behavior=word("exclusive", "inclusive", "unspecified"),
    unit_amount=integer(0, 99_999_999),
)
LINE_ITEM = members(
    price=text(),
    price_data=PRICE_DATA,
    quantity=integer(0, 999_999),
    adjustable_quantity=anything,
    metadata=metadata,
    tax_rates=many(text()),
)
WISH = {
    "adaptive_pricing": anything,
    "allow_promotion_codes": boolean,
    "allowed_payment_method_types": many(text()),
    "automatic_tax": ON,
    "billing_address_collection": word("auto", "required"),
    "branding_settings": anything,
    "cancel_url": text(),
    "client_reference_id": text(200),
    "consent_collection": anything,
    "currency": text(3),
    "custom_fields": anything,
    "custom_text": anything,
    "customer": text(),
    "customer_creation": word("always", "if_required"),
    "customer_email": text(800),
    "customer_update": members(
        address=word("auto", "never"), name=word("auto", "never"), shipping=word("auto", "never")
    ),
    "excluded_payment_method_types": many(text()),
    "expires_at": integer(0),
    "invoice_creation": members(enabled=boolean, invoice_data=anything),
    "line_items": many(LINE_ITEM),
    "locale": text(),
    "metadata": metadata,
    "mode": word("payment", "subscription", "setup"),
    "name_collection": anything,
    "payment_intent_data": members(
        description=text(1000),
        metadata=metadata,
        receipt_email=text(),
        setup_future_usage=word("off_session", "on_session"),
        capture_method=word("automatic", "automatic_async"),
        statement_descriptor=text(22),
        statement_descriptor_suffix=text(22),
    ),
    "payment_method_collection": word("always", "if_required"),
    "payment_method_configuration": text(),
    "payment_method_options": anything,
    "phone_number_collection": anything,
    "saved_payment_method_options": anything,
    "submit_type": word("auto", "book", "donate", "pay", "subscribe"),
    "subscription_data": members(
        description=text(500),
        metadata=metadata,
        trial_period_days=integer(1, 730),
        invoice_settings=anything,
        billing_mode=anything,
        proration_behavior=word("create_prorations", "none"),
    ),
    "success_url": text(),
    "tax_id_collection": ON,
    "ui_mode": word("hosted_page", "embedded_page", "elements", "form"),
}

AS_WISHED = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer",
    "customer_email",
    "locale",
    "submit_type",
    "success_url",
)
BLANK = {
    "after_expiration": None,
    "amount_subtotal": 0,
    "amount_total": 0,
    "customer_details": None,
    "invoice": None,
    "livemode": False,
    "payment_intent": None,
    "payment_method_types": ["card", "sepa_debit"],
    "payment_status": "unpaid",
    "setup_intent": None,
    "status": "open",
    "subscription": None,
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
}


@door("POST", "/checkout/sessions", "mode", **WISH)
def create(call: Call) -> Document:
    """A new session, with the address of its page."""
    wish, mode = call.wish, call.wish["mode"]
    if mode == "setup":
        raise Refusal("This sandbox has no `setup` mode.", param="mode")
    _require_addresses(wish)
    _require_one_customer(call)
    _require_fitting(wish, mode)
    expires_at = _expiry(call)
    if not wish.get("line_items"):
        raise MissingParameter("line_items")
    items = sessions.line_items(call.world, wish["line_items"], mode)
    currency = items[0]["currency"]
    if wish.get("currency") and wish["currency"].lower() != currency:
        raise Refusal("The currency must be that of the prices.", param="currency")
    session = _made(call, currency, expires_at)
    kept = {
        "line_items": items,
        "customer_update": wish.get("customer_update") or {},
        "payment_intent_data": _texts(wish.get("payment_intent_data")),
        "subscription_data": _texts(wish.get("subscription_data")),
        "invoice_creation": wish.get("invoice_creation") if _is_on(wish, "invoice_creation") else None,
    }
    call.world.store.put(session, kept=kept)
    session = sessions.priced(call.world, session)
    total = session["amount_total"]
    if mode == "payment" and total:
        require_amount(total, currency, "line_items")
    return session


@door("GET", "/checkout/sessions/<number>")
def show(call: Call) -> Document:
    """One session."""
    return call.found("checkout.session")


@door("POST", "/checkout/sessions/<number>", metadata=metadata)
def update(call: Call) -> Document:
    """Change its metadata."""
    session = call.found("checkout.session")
    after = session | {"metadata": merged(session["metadata"], call.wish.get("metadata"))}
    return call.world.store.put(after)


@door(
    "GET",
    "/checkout/sessions",
    customer=text(),
    payment_intent=text(),
    subscription=text(),
    status=word("open", "complete", "expired"),
    **PAGE,
)
def every(call: Call) -> Document:
    """Sessions, newest first."""
    return listed(call, "checkout.session", "/checkout/sessions")


@door("POST", "/checkout/sessions/<number>/expire")
def expire(call: Call) -> Document:
    """Nobody can pay it any more."""
    session = call.found("checkout.session")
    if session["status"] != "open":
        raise Refusal(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
            f"status of {session['status']}."
        )
    return checkout.expire(call.world, session["id"])


@door("GET", "/checkout/sessions/<number>/line_items", **PAGE)
def line_items(call: Call) -> Document:
    """What is sold in it."""
    session = call.found("checkout.session")
    items = call.world.store.kept("checkout.session", session["id"])["line_items"]
    return page_of(call, items, f"/checkout/sessions/{session['id']}/line_items")


def _require_addresses(wish: Document) -> None:
    if not wish.get("success_url"):
        raise MissingParameter("success_url")
    for param in ("success_url", "cancel_url"):
        address = wish.get(param)
        if address and urlsplit(address).scheme not in ("http", "https"):
            raise Refusal("Not a valid URL", param=param, code="url_invalid")


def _require_one_customer(call: Call) -> None:
    wish = call.wish
    if wish.get("customer") and wish.get("customer_email"):
        raise Refusal(
            "You may only specify one of these parameters: customer, customer_email.", param="customer"
        )
    if wish.get("customer_email") and "@" not in wish["customer_email"]:
        raise Refusal(
            f"Invalid email address: {wish['customer_email']}", param="customer_email", code="email_invalid"
        )
    update = wish.get("customer_update") or {}
    if not wish.get("customer"):
        if update:
            raise Refusal("`customer_update` can only be used with `customer`.", param="customer_update")
        return
    customer = call.named("customer", "customer")
    if _is_on(wish, "tax_id_collection") and update.get("name") != "auto":
        raise Refusal(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection "
            "for an existing customer, please set `customer_update[name]` to `auto`."
        )
    if _is_on(wish, "automatic_tax") and not customer["address"] and update.get("address") != "auto":
        raise Refusal(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid "
            "address to the Customer or set `customer_update[address]` to 'auto'.",
            code="customer_tax_location_invalid",
        )


def _require_fitting(wish: Document, mode: str) -> None:
    """Some parameters go with one mode only."""
    others = {
        "payment": ("subscription_data", "payment_method_collection"),
        "subscription": ("payment_intent_data", "customer_creation", "invoice_creation", "submit_type"),
    }
    for param in others[mode]:
        if wish.get(param):
            raise Refusal(f"You can not pass `{param}` in `{mode}` mode.", param=param)


def _expiry(call: Call) -> int:
    now = call.world.clock.now()
    wanted: int = call.wish.get("expires_at") or now + LATEST
    if wanted < now + SOONEST - SLACK:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise Refusal(message, param="expires_at")
    if wanted > now + LATEST + SLACK:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise Refusal(message, param="expires_at")
    return wanted


def _made(call: Call, currency: str, expires_at: int) -> Document:
    wish, number = call.wish, new_id("checkout.session")
    return {
        "id": number,
        "object": "checkout.session",
        **BLANK,
        **{member: wish.get(member) for member in AS_WISHED},
        "automatic_tax": {"enabled": _is_on(wish, "automatic_tax"), "liability": None, "status": None},
        "created": call.world.clock.now(),
        "currency": currency,
        "customer_creation": _customer_creation(wish),
        "expires_at": expires_at,
        "invoice_creation": {"enabled": _is_on(wish, "invoice_creation")},
        "metadata": merged({}, wish.get("metadata")),
        "mode": wish["mode"],
        "tax_id_collection": {"enabled": _is_on(wish, "tax_id_collection"), "required": "never"},
        "ui_mode": wish.get("ui_mode") or "hosted_page",
        "url": page(f"checkout/{number}"),
    }


def _customer_creation(wish: Document) -> str | None:
    if wish.get("customer"):
        return None
    if wish["mode"] == "subscription" or _is_on(wish, "invoice_creation"):
        return "always"
    return wish.get("customer_creation") or "if_required"


def _is_on(wish: Document, param: str) -> bool:
    return bool((wish.get(param) or {}).get("enabled"))


def _texts(wish: Document | None) -> Document:
    """The wish with its metadata free of unset names."""
    return (wish or {}) | {"metadata": merged({}, (wish or {}).get("metadata"))}
