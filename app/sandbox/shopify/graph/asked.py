"""What a resolver knows about the request that it serves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from app.sandbox.shopify.faults import Fault
from app.sandbox.shopify.shops import Shop
from app.sandbox.shopify.state import Shopify
from app.sandbox.shopify.tokens import Access


@dataclass(frozen=True)
class Asked:
    """One request. `base_url` is where the app reaches this shop; `refusal` makes its mutations fail."""

    world: Shopify
    access: Access
    base_url: str
    customer_view: Callable[["Asked", int], dict[str, Any] | None]  # orders and customers show each other
    refusal: Fault | None = None

    @property
    def shop(self) -> Shop:
        """Whose data it is about."""
        return self.access.shop

    def require(self, scope: str) -> None:
        """Raise ACCESS_DENIED as Shopify words it."""
        if not self.access.may(scope):
            raise GraphQLError(
                f"Access denied. Required access: `{scope}` access scope.",
                extensions={"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}` access scope."},
            )


def refused(message: str, *field: str, code: str | None = None) -> dict[str, Any]:
    """One userError."""
    return {"field": list(field) or None, "message": message, "code": code, "extraInfo": None}


Info = GraphQLResolveInfo[Asked]
