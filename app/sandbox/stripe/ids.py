"""Ids as Stripe writes them: a prefix that tells the kind, and letters and digits that tell nothing."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
PREFIXES = {
    "customer": "cus_",
    "tax_id": "txi_",
    "checkout.session": "cs_test_",
    "payment_intent": "pi_",
    "payment_method": "pm_",
    "charge": "ch_",
    "refund": "re_",
    "dispute": "du_",
    "subscription": "sub_",
    "subscription_item": "si_",
    "subscription_schedule": "sub_sched_",
    "invoice": "in_",
    "invoice_payment": "inpay_",
    "line_item": "il_",
    "item": "li_",
    "billing_portal.session": "bps_",
    "billing_portal.configuration": "bpc_",
    "product": "prod_",
    "price": "price_",
    "event": "evt_",
    "request": "req_",
}
LENGTHS = {"checkout.session": 58, "customer": 14, "request": 14}


def new_id(kind: str) -> str:
    """A fresh id for this kind of object."""
    size = LENGTHS.get(kind, 24)
    return PREFIXES[kind] + "".join(secrets.choice(ALPHABET) for _ in range(size))
