"""The demo, step by step: a shop opens, pays, imports, sends, its customers answer, and one orders."""

from __future__ import annotations

import time
from textwrap import wrap

from app.demo import customers
from app.demo.buying import buy
from app.demo.cast import Campaign, Cast
from app.demo.customers import Behaviour
from app.demo.errors import DemoStopped
from app.demo.figures import DELIVERED, OptOuts, Outcome, Sent
from app.demo.merchant import Merchant
from app.demo.ordering import order_something
from app.demo.people import SEED, VIP
from app.demo.sending import REPORT_SECONDS, send_campaign, watch_reports, write_campaign
from app.demo.waiting import wait_for

SHOP_NAME = "Thyme & Salt"
SHOP_PAGE = "https://thyme-and-salt.example/collections/summer?utm_source=astronote&utm_medium=sms"
SALE = f"Hi {{{{firstName}}}}, our “Summer” sale starts today – 20% off: {SHOP_PAGE}"
THANKS = f"Thank you {{{{firstName}}}}! VIPs shop one day earlier: {SHOP_PAGE}"
IMPORT_SECONDS, ANSWER_SECONDS = 120, 60
MOST = 0.9  # of the texts have arrived before anybody answers


def tell(cast: Cast) -> Outcome:
    """Play all steps; the outcome is not judged here. Raises DemoStopped when something does not come."""
    merchant = _open_shop(cast)
    bought = buy(cast, merchant)
    _import_contacts(cast, merchant)
    segment_id = _make_segment(merchant)
    vips = _reached(merchant, segment_id)

    cast.step("It writes a campaign and looks at the preview")
    sale = write_campaign(cast, merchant, "Summer sale", SALE, "all")
    cast.step("It sends")
    send_campaign(cast, merchant, sale, trouble=True)

    opted_out_before = _opted_out(merchant)
    behaviour = _let_customers_act(cast, merchant, sale, opted_out_before)
    opted_out_after = _opted_out(merchant)
    cast.step("The last reports come in")
    watch_reports(cast, merchant, sale)

    cast.step("It thanks its VIPs: whoever has left gets nothing")
    cast.screen.fact("VIPs who may be texted", f"{vips} → {_reached(merchant, segment_id)}")
    thanks = write_campaign(cast, merchant, "Thank you, VIPs", THANKS, f"segment:{segment_id}")
    send_campaign(cast, merchant, thanks, trouble=False)
    watch_reports(cast, merchant, thanks)

    confirmation = order_something(cast, merchant, SHOP_NAME)

    sent = [_final(cast, merchant, campaign) for campaign in (sale, thanks)]
    return Outcome(
        sent=sent,
        automated=[confirmation],
        bought=bought,
        opt_outs=OptOuts(opted_out_before, opted_out_after, frozenset(behaviour.gone)),
        books=cast.ledger.books(cast.shop_id),
        balance=merchant.get("/billing/balance"),
        audit=cast.operator.audit(),
        repeated_texts=cast.carrier.repeated(cast.sender),
        seconds=cast.seconds,
    )


def _open_shop(cast: Cast) -> Merchant:
    cast.step("A shop opens")
    cast.number = cast.ledger.next_demo_number()
    cast.shop_id, token = cast.operator.open_shop(cast.domain, SHOP_NAME)
    cast.screen.line(f"{SHOP_NAME}, {cast.domain}: no plan, no credits, no contacts.")
    return Merchant(cast.api_url, token)


def _import_contacts(cast: Cast, merchant: Merchant) -> None:
    screen, file = cast.screen, cast.csv_file
    cast.step(f"It imports its list of {len(cast.contacts.rows):,} contacts")
    kinds = [f"{count:,} {kind}" for kind, count in cast.contacts.kinds.most_common()]
    for line in wrap(", ".join(kinds), 100):
        screen.aside(line)
    began = time.monotonic()
    import_id = merchant.upload("/contacts/import", file.name, file.read_bytes())["importId"]
    done = wait_for(
        lambda: merchant.get(f"/contacts/imports/{import_id}"),
        lambda one: one["status"] not in {"waiting", "running"},
        seconds=IMPORT_SECONDS,
        otherwise="The import did not end: see worker-imports.log.",
    )
    if done["status"] != "completed":
        raise DemoStopped(f"The import failed: {done['failure']}")
    screen.fact("created", done["created"], f"in {time.monotonic() - began:.1f} s")
    screen.fact("updated", done["updated"], "in the list already, the number written in another way")
    screen.fact("skipped", done["skipped"], "no mobile number")
    screen.fact("kept with a remark", done["warnings"])
    errors = merchant.get(f"/contacts/imports/{import_id}/errors", pageSize=100)["errors"]
    for error in {error["error"]: error for error in errors}.values():  # one of each kind
        screen.aside(f"row {error['row']:>4}  {error['value'] or '(nothing)':<18} {error['error']}")


def _make_segment(merchant: Merchant) -> str:
    rule = {"all": [{"field": "tags", "op": "anyOf", "value": [VIP]}]}
    return str(merchant.post("/audiences/segments", {"name": "VIPs", "rule": rule})["id"])


def _reached(merchant: Merchant, segment_id: str) -> int:
    return int(merchant.get(f"/audiences/segments/{segment_id}/preview")["estimatedCount"])


def _opted_out(merchant: Merchant) -> int:
    return int(merchant.get("/contacts/stats")["optedOut"])


def _let_customers_act(cast: Cast, merchant: Merchant, sale: Campaign, before: int) -> Behaviour:
    cast.step("Its customers read their texts")
    wait_for(
        lambda: merchant.get(f"/campaigns/{sale.id}/progress"),
        lambda now: now["processed"] >= (now["total"] - now["pending"]) * MOST,
        seconds=REPORT_SECONDS,
        otherwise="The delivery reports do not come: see worker-events.log.",
    )
    delivered = [text for text in cast.texts_of(sale) if text.status == DELIVERED]
    if not delivered:
        raise DemoStopped("The carrier delivered nothing.")
    behaviour = customers.decide(delivered, SEED)
    if customers.act(behaviour, cast.carrier) != SHOP_PAGE:
        raise DemoStopped("The short links do not lead to the page of the campaign.")
    after = wait_for(
        lambda: _opted_out(merchant),
        lambda now: now >= before + len(behaviour.gone),
        seconds=ANSWER_SECONDS,
        otherwise="Not every opt-out was obeyed: see worker-events.log.",
    )
    metrics = wait_for(
        lambda: merchant.get(f"/campaigns/{sale.id}/metrics"),
        lambda now: now["clicks"] >= len(behaviour.clickers),
        seconds=ANSWER_SECONDS,
        otherwise="Not every click was counted: see web.log.",
    )
    screen = cast.screen
    screen.fact("opened the link, twice", len(behaviour.clickers), f"{metrics['clicks']:,} clicks counted")
    screen.fact("pressed the opt-out button", len(behaviour.leavers))
    screen.fact("answered STOP", len(behaviour.stoppers), ", ".join(customers.STOP_WORDS))
    screen.fact("opted out before, after", f"{before:,} → {after:,}")
    return behaviour


def _final(cast: Cast, merchant: Merchant, campaign: Campaign) -> Sent:
    """The campaign's figures once the carrier has nothing left to tell."""
    wait_for(
        cast.carrier.untold,
        lambda left: left == 0,
        seconds=REPORT_SECONDS,
        otherwise="The carrier still has reports that nobody takes: see web.log.",
    )
    metrics = merchant.get(f"/campaigns/{campaign.id}/metrics")
    return Sent(campaign.name, campaign.preview, metrics, cast.texts_of(campaign))
