"""Writing a campaign, looking at its price, sending it, and watching it arrive."""

from __future__ import annotations

from typing import Any

from app.demo.cast import Campaign, Cast
from app.demo.errors import DemoStopped
from app.demo.merchant import Merchant
from app.demo.progress import ProgressBar
from app.demo.table import Screen
from app.demo.waiting import wait_for

LATE_SECONDS = 2.5
REFUSED_SHARE = 0.2
SEND_SECONDS, REPORT_SECONDS = 300, 120


def write_campaign(cast: Cast, merchant: Merchant, name: str, message: str, audience: str) -> Campaign:
    """Write a draft and show what sending it would do. Raises DemoStopped when it could not be sent."""
    body = {"name": name, "message": message, "audience": audience, "senderId": cast.sender}
    campaign_id = merchant.post("/campaigns", body)["id"]
    preview = merchant.get(f"/campaigns/{campaign_id}/preview")
    _show_preview(cast.screen, preview)
    if not preview["canSend"]:
        raise DemoStopped(f"The campaign cannot be sent: {preview['message']}")
    return Campaign(campaign_id, name, message.split("{{")[0].strip(), preview)


def send_campaign(cast: Cast, merchant: Merchant, campaign: Campaign, *, trouble: bool) -> None:
    """Send, and wait until every text has been handed to the carrier.

    With `trouble` the carrier accepts one call and never answers it: nobody knows then whether those texts
    have left, so none of them may be sent again, and their credits stay held until the reports tell. From
    another call it refuses some texts.
    """
    merchant.send(campaign.id)
    if trouble:
        cast.carrier.misbehave("drop_after_accept")
        cast.carrier.misbehave("refuse_items", share=REFUSED_SHARE)
    _watch_sending(cast, merchant, campaign)


def _show_preview(screen: Screen, preview: dict[str, Any]) -> None:
    for line in preview["renderedMessage"].splitlines():
        screen.line(f"│ {line}")
    smart = preview["smartEncoding"]
    if smart["applied"]:
        changed = ", ".join(f"{one['from']} is now {one['to']}" for one in smart["replaced"])
        screen.aside(f"smart encoding: {changed}; {smart['partsBefore']} parts → {smart['partsAfter']}")
    excluded = preview["excluded"]
    parts = " + ".join(f"{people:,} × {parts}" for parts, people in sorted(preview["parts"].items()))
    screen.fact("recipients", preview["recipientCount"])
    screen.fact("credits", preview["estimatedCost"], f"texts × parts: {parts}")
    screen.fact("texts in Unicode", preview["unicodeRecipients"], "a Greek name, an accent or an emoji in it")
    screen.fact("credits there are", preview["totalAvailable"])
    reasons = f"{excluded['optedOut']:,} opted out, {excluded['unknownConsent']:,} never consented"
    screen.fact("not texted", sum(excluded.values()), reasons)


def _watch_sending(cast: Cast, merchant: Merchant, campaign: Campaign) -> None:
    bar = ProgressBar(cast.screen, "sent", campaign.preview["recipientCount"])

    def sent() -> Any:
        now = merchant.get(f"/campaigns/{campaign.id}/progress")
        bar.show(now["total"] - now["pending"], f"{now['delivered']:,} delivered")
        return now

    last = wait_for(
        sent,
        lambda now: now["status"] != "sending",
        seconds=SEND_SECONDS,
        otherwise="The sending did not end: see worker-sending.log.",
    )
    bar.close()
    if last["pending"]:
        lost = f"{last['pending']:,} texts: the carrier's answer was lost."
        cast.screen.line(f"{lost} None of them is sent again; their reports will tell.")


def watch_reports(cast: Cast, merchant: Merchant, campaign: Campaign) -> None:
    """Wait until every text has its final report."""
    bar = ProgressBar(cast.screen, "reports", campaign.preview["recipientCount"])

    def reported() -> Any:
        now = merchant.get(f"/campaigns/{campaign.id}/progress")
        unknown = f", {now['pending']:,} unknown" if now["pending"] else ""
        bar.show(now["processed"], f"{now['pendingDelivery']:,} to come{unknown}, {now['failed']:,} failed")
        return now

    wait_for(
        reported,
        lambda now: not now["pendingDelivery"] and not now["pending"],
        seconds=REPORT_SECONDS,
        otherwise="Not every delivery report came: see worker-events.log.",
    )
    bar.close()
    late = sum(text.took_seconds > LATE_SECONDS for text in cast.texts_of(campaign))
    cast.screen.aside(f"{late:,} reports came more than {LATE_SECONDS} s after the text was accepted")
