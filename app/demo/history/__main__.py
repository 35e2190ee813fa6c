"""`python -m app.demo.history [--phones FILE]`: give the demo shop its past; print how to sign in."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app import create_app
from app.auth import tokens
from app.core.settings import settings
from app.core.urls import public_base_url
from app.demo.errors import DemoStopped
from app.demo.history.plan import SHOP_NAME
from app.demo.history.seeding import Seeded, seed


def main(argv: Sequence[str]) -> int:
    """Seed, and print the shop and a token for it; 1 with the reason when the history does not add up."""
    chosen = _parser().parse_args(argv)
    with create_app().app_context():
        if settings().is_production:
            print("The demo shop is for development only.", file=sys.stderr)
            return 2
        try:
            seeded = seed(phones=chosen.phones)
        except DemoStopped as stopped:
            print(stopped, file=sys.stderr)
            return 1
        _show(seeded)
    return 0


def _show(seeded: Seeded) -> None:
    news = f"a month of history made in {seeded.seconds:.0f} s" if seeded.is_new else "as you left it"
    print(f"Demo shop    {SHOP_NAME}, {seeded.domain} ({news})")
    print("Sign in as it, for example with:")
    print(f"  TOKEN={tokens.issue(seeded.shop_id, seeded.domain)}")
    print(f'  curl -H "Authorization: Bearer $TOKEN" {public_base_url()}/dashboard')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.demo.history", description="The demo shop's past.")
    parser.add_argument("--phones", type=Path, help="the pretend carrier's file, while it is not running")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
