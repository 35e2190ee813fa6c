"""`flask webhooks …` for operators. Prints no phone number and nothing that people wrote."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core.errors import DomainError
from app.webhooks.models import Left
from app.webhooks.service import inbox

webhooks_cli = AppGroup("webhooks", help="Look into the inbox of webhook events, and replay them.")
LEFT = click.Choice([left.value for left in Left])


@webhooks_cli.command("list")
@click.option(
    "--topic", help="A topic of the carrier (dlr), of Shopify (orders/create) or of Stripe (invoice.paid)."
)
@click.option("--all", "everything", is_flag=True, help="Also what is done.")
@click.option("--left", type=LEFT, help="Events that had no effect: dead letters and the like.")
@click.option("--most", default=50, show_default=True)
def list_(topic: str | None, everything: bool, left: str | None, most: int) -> None:
    """List the newest events that wait."""
    wanted = Left(left) if left else None
    for event in inbox.list_events(topic, only_waiting=not everything, most=most, left=wanted):
        state = event.outcome if event.processed_at else f"due {event.available_at:%Y-%m-%d %H:%M:%S}"
        received = f"{event.received_at:%Y-%m-%d %H:%M:%S}"
        failure = f"\t{event.failure}" if event.failure else ""
        click.echo(f"{event.id}\t{event.topic}\t{received}\t{event.attempts} misses\t{state}{failure}")
    for provider in ("shopify", "stripe"):
        for outcome, count in sorted(inbox.count_left(provider).items()):
            click.echo(f"{count} events of {provider.title()} are left as {outcome}")


@webhooks_cli.command("show")
@click.argument("event_id", type=int)
def show(event_id: int) -> None:
    """Print one event."""
    try:
        event = inbox.show_event(event_id)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    for name, value in event.items():
        click.echo(f"{name}: {value}")


@webhooks_cli.command("replay")
@click.argument("event_ids", type=int, nargs=-1)
@click.option("--left", type=LEFT, help="Instead of ids: events that had no effect.")
@click.option("--topic", help="With --left: only of this topic.")
@click.option("--most", default=1000, show_default=True, help="With --left: at most so many.")
def replay(event_ids: tuple[int, ...], left: str | None, topic: str | None, most: int) -> None:
    """Work on events again, as if they had just come."""
    if bool(event_ids) == bool(left):
        raise click.UsageError("Give ids, or --left, and not both.")
    count = inbox.replay_left(Left(left), topic, most) if left else inbox.replay_events(event_ids)
    click.echo(f"{count} events are due again")
