"""What can start an automation, what its text may say, and the automations that every shop begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.automations.models import Trigger

HOUR, DAY = 60, 24 * 60
# Old names that clients still offer, and what fires them.
SAME_EVENT: Mapping[Trigger, Trigger] = MappingProxyType(
    {
        Trigger.ORDER_CONFIRMATION: Trigger.ORDER_PLACED,
        Trigger.SHIPPING_UPDATE: Trigger.ORDER_FULFILLED,
        Trigger.ABANDONED_CART: Trigger.CART_ABANDONED,
        Trigger.UPSELL: Trigger.CROSS_SELL,
    }
)


@dataclass(frozen=True)
class Variable:
    """A merge tag that a text of this trigger may use."""

    name: str
    description: str
    example: str


@dataclass(frozen=True)
class Facts:
    """What is true of every automation of a trigger. Step 1 usually comes `delay_minutes` after the event."""

    delay_minutes: int
    is_transactional: bool = False  # tells of the customer's own order: no quiet hours, no cap
    ends_on_purchase: bool = False
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True)
class Default:
    """An automation that every shop has from the start, switched off."""

    trigger: Trigger
    name: str
    description: str
    message: str


FIRST = Variable("customer.firstName", "The customer's first name", "Maria")
LAST = Variable("customer.lastName", "The customer's last name", "Papadaki")
DISPLAY = Variable("customer.displayName", "The customer's full name", "Maria Papadaki")
CUSTOMER = (FIRST, LAST, DISPLAY)
ORDER_NAME = Variable("order.name", "The order's number", "#1001")
ITEMS = Variable("lineItems", "What was ordered", "Linen shirt x1, Belt x2")
CODES = Variable("discountCodes", "The discount codes that were used", "SUMMER10")
EVERYWHERE = (
    Variable("shopName", "Your shop's name", "Blue Door"),
    Variable("shopDomain", "Your shop's domain", "blue-door.myshopify.com"),
    Variable("discountCode", "The code that you set for this automation", "WELCOME"),
)
ORDER = (
    ORDER_NAME,
    *CUSTOMER,
    Variable("totalPrice", "What the order costs", "49.90"),
    Variable("currency", "The order's currency", "EUR"),
    ITEMS,
    CODES,
    Variable("shippingAddress.city", "Where the order goes", "Athens"),
    Variable("shippingAddress.country", "The country it goes to", "GR"),
)
PARCEL = (
    ORDER_NAME,
    *CUSTOMER,
    Variable("tracking.number", "The parcel's number", "RB123456785GR"),
    Variable("tracking.url", "Where the parcel can be followed, as a short link", "https://…/r/…"),
    Variable("tracking.company", "Who carries it", "ELTA"),
    Variable("estimatedDeliveryAt", "When it should arrive", "March 3, 2027"),
)
CART = (
    *CUSTOMER,
    ITEMS,
    Variable("abandonedCheckoutUrl", "The way back to the checkout, as a short link", "https://…/r/…"),
    Variable("subtotalPrice", "What the cart costs", "39.90"),
    CODES,
)
PRODUCTS = (
    *CUSTOMER,
    Variable("productTitle", "The first product of the order", "Linen shirt"),
    Variable("recommendedProducts", "What you recommend in the conditions", "our new belts"),
)

TRIGGERS: Mapping[Trigger, Facts] = MappingProxyType(
    {
        Trigger.WELCOME: Facts(
            0,
            ends_on_purchase=True,
            variables=(
                Variable("subscriber.firstName", "The subscriber's first name", "Maria"),
                Variable("subscriber.lastName", "The subscriber's last name", "Papadaki"),
            ),
        ),
        Trigger.ORDER_PLACED: Facts(0, is_transactional=True, variables=ORDER),
        Trigger.ORDER_FULFILLED: Facts(0, is_transactional=True, variables=PARCEL),
        Trigger.DELIVERY_CONFIRMATION: Facts(0, is_transactional=True, variables=PARCEL),
        Trigger.REVIEW_REQUEST: Facts(
            6 * DAY,
            variables=(
                *CUSTOMER,
                ORDER_NAME,
                ITEMS,
                Variable("reviewLink", "Where you collect reviews, from the conditions", "https://…"),
            ),
        ),
        Trigger.CROSS_SELL: Facts(4 * DAY, ends_on_purchase=True, variables=PRODUCTS),
        Trigger.REORDER_REMINDER: Facts(
            30 * DAY, ends_on_purchase=True, variables=(*CUSTOMER, ORDER_NAME, ITEMS)
        ),
        Trigger.CART_ABANDONED: Facts(HOUR, ends_on_purchase=True, variables=CART),
        Trigger.BIRTHDAY: Facts(0, variables=CUSTOMER),
        Trigger.CUSTOMER_INACTIVE: Facts(
            0,
            ends_on_purchase=True,
            variables=(
                *CUSTOMER,
                Variable("daysSinceLastOrder", "Days since the customer's last order", "90"),
            ),
        ),
    }
)

DEFAULTS: tuple[Default, ...] = (
    Default(
        Trigger.WELCOME,
        "Welcome",
        "Greets everybody who has just agreed to get your texts.",
        "Hi {{firstName}}, welcome to {{shopName}}! You will be the first to hear what is new.",
    ),
    Default(
        Trigger.ORDER_PLACED,
        "Order confirmation",
        "Confirms an order as soon as it is placed.",
        "Thank you, {{firstName}}! {{shopName}} has received your order {{order.name}}.",
    ),
    Default(
        Trigger.ORDER_FULFILLED,
        "Parcel on its way",
        "Says that the parcel has left, with the link to follow it.",
        "Good news {{firstName}}: order {{order.name}} is on its way. {{tracking.url}}",
    ),
    Default(
        Trigger.REVIEW_REQUEST,
        "Review request",
        "Asks for a review some days after the parcel was sent.",
        "Hi {{firstName}}, how do you like order {{order.name}}? A short review would help: {{reviewLink}}",
    ),
    Default(
        Trigger.BIRTHDAY,
        "Birthday",
        "Congratulates once a year, in the morning of your time zone.",
        "Happy birthday {{firstName}}! {{shopName}} wishes you a wonderful day. Come by for a treat.",
    ),
    Default(
        Trigger.CROSS_SELL,
        "Goes well with",
        "Suggests what goes with an order, four days after it was sent.",
        "Hi {{firstName}}, enjoying your {{productTitle}}? {{shopName}} has things that go well with it.",
    ),
    Default(
        Trigger.REORDER_REMINDER,
        "Time to restock",
        "Reminds a month after an order was sent, unless there was a new one.",
        "Hi {{firstName}}, running low? Reorder what was in {{order.name}} at {{shopName}} in a minute.",
    ),
    Default(
        Trigger.CART_ABANDONED,
        "Forgotten cart",
        "Leads back to a checkout that was not finished, unless it was meanwhile.",
        "Hi {{firstName}}, your cart at {{shopName}} is waiting: {{abandonedCheckoutUrl}}",
    ),
    Default(
        Trigger.CUSTOMER_INACTIVE,
        "We miss you",
        "Writes to customers who have not ordered for a long time.",
        "Hi {{firstName}}, it has been a while! See what is new at {{shopName}}.",
    ),
)


def event_of(trigger: Trigger) -> Trigger:
    """The trigger whose event fires this one: itself, unless it is an old name."""
    return SAME_EVENT.get(trigger, trigger)


def facts_of(trigger: Trigger) -> Facts:
    """What is true of every automation of `trigger`."""
    return TRIGGERS[event_of(trigger)]


def fired_by(event: Trigger) -> tuple[Trigger, ...]:
    """Every trigger that `event` fires."""
    return (event, *(old for old, now in SAME_EVENT.items() if now == event))


def variables_of(trigger: Trigger) -> tuple[Variable, ...]:
    """The merge tags that a text of `trigger` may use."""
    return (*facts_of(trigger).variables, *EVERYWHERE)
