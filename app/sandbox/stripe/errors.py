"""Stripe's refusals and their envelope (docs.stripe.com/api/errors)."""

from app.sandbox.stripe.store import Document

DOCS = "https://docs.stripe.com/error-codes/"


class Refusal(Exception):
    """Stripe does not do it: 4xx with `{"error": {…}}`. Nothing has happened, no idempotency key is used."""

    status = 400
    type = "invalid_request_error"
    is_final = False  # True: what was done stays done, and the idempotency key remembers the answer

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message, self.param, self.code = message, param, code
        self.more: Document = {}

    def envelope(self) -> Document:
        """The answer's body."""
        told: Document = {"message": self.message, "type": self.type, **self.more}
        if self.param is not None:
            told["param"] = self.param
        if self.code is not None:
            told |= {"code": self.code, "doc_url": DOCS + self.code.replace("_", "-")}
        return {"error": told}


class UnknownKey(Refusal):
    """Whoever asks has no key, or not this account's."""

    status = 401


class Missing(Refusal):
    """There is no such object."""

    status = 404

    def __init__(self, kind: str, number: object, param: str = "id") -> None:
        name = kind.replace("_", " ").replace(".", " ")
        super().__init__(f"No such {name}: '{number}'", param=param, code="resource_missing")


class UnknownParameter(Refusal):
    """A parameter that this call does not have."""

    def __init__(self, param: str) -> None:
        super().__init__(f"Received unknown parameter: {param}", param=param, code="parameter_unknown")


class MissingParameter(Refusal):
    """A parameter that this call cannot do without."""

    def __init__(self, param: str) -> None:
        super().__init__(f"Missing required param: {param}.", param=param, code="parameter_missing")


class KeyWithOtherParameters(Refusal):
    """An idempotency key comes back with another wish."""

    type = "idempotency_error"


class KeyInFlight(Refusal):
    """Another request with this idempotency key is being worked on."""

    status = 409
    type = "idempotency_error"


class TooManyRequests(Refusal):
    """The rate limit."""

    status = 429


class Broken(Refusal):
    """Something went wrong on Stripe's side."""

    status = 500
    type = "api_error"


class CardRefused(Refusal):
    """The bank said no. The payment intent with its failure stays, and comes with the error."""

    status = 402
    type = "card_error"
    is_final = True

    def __init__(self, failure: Document, payment_intent: Document) -> None:
        super().__init__(failure["message"], code=failure["code"])
        self.more = {
            "charge": payment_intent["latest_charge"],
            "decline_code": failure.get("decline_code"),
            "payment_intent": payment_intent,
            "payment_method": failure.get("payment_method"),
        }
