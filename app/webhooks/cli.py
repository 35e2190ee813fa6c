"""`flask webhooks …` for operators. Prints no phone number and nothing that people wrote."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core.errors import DomainError
from app.webhooks.models import Topic
from app.webhooks.service import inbox

webhooks_cli = AppGroup("webhooks", help="Look into the inbox of webhook events, and replay them.")


@webhooks_cli.command("list")
@click.option("--topic", type=click.Choice([topic.value for topic in Topic]))
@click.option("--all", "everything", is_flag=True, help="Also what is done.")
@click.option("--most", default=50, show_default=True)
def list_(topic: str | None, everything: bool, most: int) -> None:
    """List the newest events that wait."""
    for event in inbox.list_events(topic, only_waiting=not everything, most=most):
        state = event.outcome if event.processed_at else f"due {event.available_at:%Y-%m-%d %H:%M:%S}"
        received = f"{event.received_at:%Y-%m-%d %H:%M:%S}"
        click.echo(f"{event.id}\t{event.topic}\t{received}\t{event.attempts} misses\t{state}")


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
@click.argument("event_ids", type=int, nargs=-1, required=True)
def replay(event_ids: tuple[int, ...]) -> None:
    """Work on events again, as if they had just come."""
    click.echo(f"{inbox.replay_events(event_ids)} events are due again")
