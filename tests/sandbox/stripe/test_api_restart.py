"""What a pretended Stripe knows when it comes back."""

from pathlib import Path

from tests.sandbox.stripe.till import subscribed
from tests.stripe_world import a_stripe


def test_a_restart_keeps_what_was_sold_and_the_time(tmp_path: Path):
    store = str(tmp_path / "sandbox.db")
    with a_stripe(store=store) as world:
        made = subscribed(world)
        moved = world.advance(months=2)

    with a_stripe(store=store) as world:
        after = world.client().v1.subscriptions.retrieve(made.id)
        assert after["items"].data[0].current_period_end > moved
        assert world.ask("GET", "/clock")["now"] >= moved
        assert len(world.client().v1.prices.list({"limit": 100}).data) == 12
