"""Lists page by page, newest first (docs.stripe.com/api/pagination)."""

from typing import Any

from app.sandbox.stripe.api.door import Call
from app.sandbox.stripe.errors import Missing
from app.sandbox.stripe.lists import whole_list
from app.sandbox.stripe.parameters import Reader, integer, members, text
from app.sandbox.stripe.store import Document

MOST, USUAL = 100, 10


def _created(sent: Any, name: str) -> Any:
    if isinstance(sent, str):
        moment = integer(0)(sent, name)
        return {"gte": moment, "lte": moment}
    return members(gt=integer(0), gte=integer(0), lt=integer(0), lte=integer(0))(sent, name)


PAGE: dict[str, Reader] = {
    "limit": integer(1, MOST),
    "starting_after": text(),
    "ending_before": text(),
    "created": _created,
}


def page_of(call: Call, found: list[Document], url: str) -> Document:
    """The page that the call asks for of objects that were chosen already, newest first."""
    after, limit = call.wish.get("starting_after"), call.wish.get("limit") or USUAL
    numbers = [one["id"] for one in found]
    start = numbers.index(after) + 1 if after in numbers else 0
    more = len(found) > start + limit
    return whole_list(found[start : start + limit], f"/v1{url}", has_more=more)


def listed(call: Call, kind: str, url: str, **more: Any) -> Document:
    """The page that the call asks for; its other wishes, and `more`, are members that must be equal."""
    wish = {name: value for name, value in call.wish.items() if name not in PAGE and name != "expand"}
    limit = call.wish.get("limit") or USUAL
    for param in ("starting_after", "ending_before"):
        if call.wish.get(param) and call.world.store.get(kind, call.wish[param]) is None:
            raise Missing(kind, call.wish[param], param)
    found = call.world.store.page(
        kind,
        {name: value for name, value in (wish | more).items() if value is not None},
        limit=limit + 1,
        after=call.wish.get("starting_after"),
        before=call.wish.get("ending_before"),
        created=call.wish.get("created") or {},
    )
    page = found[-limit:] if call.wish.get("ending_before") else found[:limit]
    return whole_list(page, f"/v1{url}", has_more=len(found) > limit)
