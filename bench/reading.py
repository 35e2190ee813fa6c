"""What both clients read, in a shop with a million contacts and ten messages for each of them.

Every read over real HTTP with its answer computed, and once more with it kept where the route keeps answers:
the median, the 95th percentile, and the SQL statements of a computed answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from app.auth import tokens
from app.billing import service as billing
from bench.arena import Arena
from bench.customers import add_customers
from bench.history import add_history
from bench.latency import Latency, Reader
from bench.results import Result, Results, Target

PAGE = 20
TIMES, QUICK_TIMES = 100, 5
NEIGHBOURS = 3
CREDITS = 1_000_000
PROMPT = Target("value", "<=", 50)
FAR_PAGE = Target("value", "<=", 150)
SAME_COST = Target("ratio", "<=", 2)
POLL = Target("value", "<=", 2)


@dataclass(frozen=True)
class Read:
    """A path under a short name. A poll is asked every two seconds, by everybody who looks."""

    name: str
    path: str
    target: Target | None = PROMPT
    is_poll: bool = False
    kept_target: Target | None = PROMPT


@dataclass(frozen=True)
class Places:
    """What paths name: the newest campaign is under way, a large one is finished."""

    under_way: int
    finished: int
    contacts: int
    cursor: str
    messages: int
    failed: int


def bench_reading(arena: Arena, results: Results, size: int) -> None:
    """At the largest size of the run only: the others would take as long and say less."""
    if size < arena.largest:
        return
    shop_id, domain = _shop_with_history(arena, size)
    times = QUICK_TIMES if arena.is_quick else TIMES
    reader = Reader(arena, tokens.issue(shop_id, domain), times)
    try:
        reader.get("/audiences")  # makes the system segments, as a first visit does
        measured = {read.name: _measure(reader, results, size, read) for read in reads(_places(reader))}
    finally:
        reader.close()
    first, last = measured["contacts.cursor_first"], measured["contacts.cursor_last"]
    results.add(Result("contacts.cursor_cost", size, last.p50, "ms p50", first.p50, SAME_COST, last.n))


def _shop_with_history(arena: Arena, size: int) -> tuple[int, str]:
    """The shop at hand, and a few small ones whose rows lie between its own."""
    for name in (*(f"neighbour-{number}" for number in range(1, NEIGHBOURS + 1)), "reading"):
        shop = billing.open_shop(f"bench-{name}.myshopify.com", plan="pro")
        billing.grant_credits(shop.id, CREDITS, key="bench", reason="bench")
        contacts = size if name == "reading" else max(size // 50, 1000)
        add_customers(arena.owner, shop.id, contacts)
        add_history(arena.owner, shop.id, contacts)
    return shop.id, shop.domain


def _places(reader: Reader) -> Places:
    newest = reader.get("/campaigns?status=sending")["campaigns"][0]
    done = reader.get("/campaigns?status=completed&pageSize=100")["campaigns"]
    large = max(done, key=lambda one: one["recipientCount"])
    contacts = reader.get("/contacts/stats")["total"]
    last_but_one = reader.get(f"/contacts?page={-(-contacts // PAGE) - 1}&pageSize={PAGE}")
    return Places(
        int(newest["id"]),
        int(large["id"]),
        contacts,
        last_but_one["nextCursor"],
        large["recipientCount"],
        large["failedCount"],
    )


def reads(at: Places) -> Iterator[Read]:
    """Everything that is measured, page by page of the clients."""
    yield from _contacts(at)
    yield from _campaigns(at)
    yield Read("poll.balance", "/billing/balance", is_poll=True)
    for name in ("dashboard", "dashboard/overview", "dashboard/quick-stats"):
        yield Read(name.replace("/", "."), f"/{name}")
    for name in ("overview", "kpis", "campaigns", "automations", "messaging", "credits", "contacts"):
        yield Read(f"reports.{name}", f"/reports/{name}")
    yield Read("reports.campaign", f"/reports/campaigns/{at.finished}")
    for name in ("overview", "campaigns", "contacts"):
        yield Read(f"export.{name}", f"/reports/export?type={name}&format=csv")
    yield Read("export.file", "/reports/export?type=campaigns&format=csv&download=true")
    # The shop's own rules are asked of every contact: that is why these two are kept until a contact changes.
    yield Read("audiences.list", "/audiences", None)
    yield Read("segments.list", "/audiences/segments", None)
    yield Read("templates.list", "/templates")
    yield Read("activity.first", "/activity?pageSize=20")


def _contacts(at: Places) -> Iterator[Read]:
    last = -(-at.contacts // PAGE)
    asked: dict[str, tuple[dict[str, object], Target]] = {
        "first": ({"page": 1}, PROMPT),
        "number_last": ({"page": last}, FAR_PAGE),
        "number_middle": ({"page": last // 2}, FAR_PAGE),
        "cursor_first": ({}, PROMPT),
        "cursor_last": ({"cursor": at.cursor}, PROMPT),
        "by_name": ({"sortBy": "lastName", "sortOrder": "asc"}, PROMPT),
        "by_name_last": ({"sortBy": "lastName", "sortOrder": "asc", "page": last}, FAR_PAGE),
        "oldest": ({"sortBy": "createdAt", "sortOrder": "asc"}, PROMPT),
        "filter_consent": ({"smsConsent": "opted_in", "gender": "female"}, PROMPT),
        "filter_bought": ({"hasPurchased": "true", "lastOrderAfter": "2020-01-01"}, PROMPT),
        "filter_tags": ({"tagsAny": "vip"}, PROMPT),
        "filter_rare_tag": ({"tagsAll": "newsletter,loyalty", "smsConsent": "unknown"}, PROMPT),
        "filter_source": ({"consentSource": "manual", "hasBirthDate": "true"}, PROMPT),
        "search_name": ({"q": "Ξενάκης"}, PROMPT),
        "search_phone": ({"q": "69123456"}, PROMPT),
        "search_email": ({"q": "orfeas.xenakis"}, PROMPT),
        "search_common": ({"q": "gmail.com"}, PROMPT),
        "search_two_letters": ({"q": "zz"}, PROMPT),
        "search_miss": ({"q": "nobody-is-called-this"}, PROMPT),
    }
    for name, (query, target) in asked.items():
        yield Read(f"contacts.{name}", f"/contacts?{urlencode({'pageSize': PAGE, **query})}", target)
    yield Read("contacts.stats", "/contacts/stats")


def _campaigns(at: Places) -> Iterator[Read]:
    yield Read("campaigns.list", "/campaigns?pageSize=20")
    yield Read("campaigns.search", "/campaigns?search=season")
    yield Read("campaigns.status", "/campaigns?status=completed")
    yield Read("campaigns.drafts", "/campaigns?status=draft")
    yield Read("campaigns.summary", "/campaigns/stats/summary")
    one = f"/campaigns/{at.under_way}"
    yield Read("poll.status", f"{one}/status", is_poll=True)
    yield Read("poll.progress", f"{one}/progress", is_poll=True)
    yield Read("campaign.metrics", f"{one}/metrics")
    # The exact price of everybody: `preview.exact` is judged beside the count that it needs.
    yield Read("campaign.preview", f"{one}/preview", None)
    failed, messages = f"/campaigns/{at.finished}/failed-recipients", f"/tracking/campaign/{at.finished}"
    yield Read("failed.first", failed)
    yield Read("failed.last", f"{failed}?page={-(-at.failed // PAGE)}&pageSize={PAGE}", FAR_PAGE)
    yield Read("tracking.first", messages)
    yield Read("tracking.last", f"{messages}?page={-(-at.messages // PAGE)}&pageSize={PAGE}", FAR_PAGE)


def _measure(reader: Reader, results: Results, size: int, read: Read) -> Latency:
    computed = reader.computed(read.path)
    _show(results, size, read.name, computed, read.target)
    if kept := reader.kept(read.path):
        _show(results, size, f"{read.name}.kept", kept, read.kept_target)
    statements = reader.statements(read.path)
    target = POLL if read.is_poll else None
    results.add(Result(f"{read.name}.sql", size, statements, "statements", target=target))
    return computed


def _show(results: Results, size: int, name: str, seen: Latency, target: Target | None) -> None:
    results.add(
        Result(f"{name}.p50", size, seen.p50, "ms", n=seen.n),
        Result(f"{name}.p95", size, seen.p95, "ms", target=target, n=seen.n),
    )
