"""`flask ledger …`: seal, verify and export the proof of credits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.billing.proof import checking, exporting
from app.billing.proof.exporting import Period
from app.billing.proof.signing import public_key
from app.core.errors import DomainError
from app.credits.proof import sealing, verifying
from app.credits.proof.verifying import Verdict
from app.shops import service as shops
from app.shops.domains import normalise_domain

ledger_cli = AppGroup("ledger", help="Prove the credits.")
DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])


@ledger_cli.command("seal")
@click.argument("domain")
def seal(domain: str) -> None:
    """Seal what a shop's ledger has posted by now."""
    click.echo(f"{sealing.seal(_shop_id(domain))} seals made")


@ledger_cli.command("export")
@click.argument("domain")
@click.option("--from", "starts_at", type=DAY, help="Begin with the seals of this time (UTC).")
@click.option("--to", "ends_at", type=DAY, help="End before this time (UTC).")
def export(domain: str, starts_at: datetime | None, ends_at: datetime | None) -> None:
    """Write a shop's signed proof to the standard output."""
    for piece in exporting.export(_shop_id(domain), Period(_utc(starts_at), _utc(ends_at))):
        click.echo(piece, nl=False)


@ledger_cli.command("public-key")
def show_public_key() -> None:
    """Print the key that exports are signed with."""
    click.echo(public_key().public_key)


@ledger_cli.command("verify")
@click.argument("domain", required=False)
@click.option("--head", "heads", multiple=True, help="A hash from outside: 12:0f3a… Only with a shop.")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--public-key", "key", help="What the file must be signed with; by default, our key of today.")
def verify(domain: str | None, heads: tuple[str, ...], file: Path | None, key: str | None) -> None:
    """Recompute the seals of a shop, or of all; or verify an export. Exit 1 on any difference."""
    if file is not None:
        sys.exit(_verify_file(file, key or public_key().public_key))
    ids = [_shop_id(domain)] if domain else _shops_with_seals()
    known = dict(_known(one) for one in heads)
    broken = 0
    for shop_id in ids:
        broken += _show(verifying.verify(shop_id, known=known if domain else None))
    click.echo(f"ledger: {broken} differences")
    sys.exit(1 if broken else 0)


def _verify_file(file: Path, key: str) -> int:
    try:
        with file.open("rb") as lines:
            report = checking.check(lines, key)
    except ValueError as wrong:
        raise click.BadParameter("it is no Ed25519 key", param_hint="--public-key") from wrong
    for line in report.figures():
        click.echo(line)
    for difference in report.differences:
        click.echo(f"FAIL {difference}")
    click.echo(f"ledger: {len(report.differences)} differences")
    return 1 if report.differences else 0


def _show(verdict: Verdict) -> bool:
    """Print a verdict; whether it is a bad one."""
    mark = "FAIL" if verdict.difference else "ok  "
    figures = f"{verdict.seals} seals  {verdict.transfers} transfers  {verdict.unsealed} not sealed"
    click.echo(f"{mark} shop {verdict.shop_id}  {figures}  head {verdict.seals}:{verdict.head or '-'}")
    if verdict.difference:
        found = verdict.difference
        named = f"transfer {found.transfer_id}: " if found.transfer_id is not None else ""
        click.echo(f"       seal {found.seal}: {named}{found.what}")
    return verdict.difference is not None


def _shops_with_seals() -> Iterator[int]:
    shop_id: int | None = 0
    while (shop_id := verifying.next_shop_with_seals(shop_id or 0)) is not None:
        yield shop_id


def _known(told: str) -> tuple[int, str]:
    number, _, seal_hash = told.partition(":")
    if not number.isdigit() or not seal_hash:
        raise click.BadParameter("write it as 12:0f3a…", param_hint="--head")
    return int(number), seal_hash


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _shop_id(domain: str) -> int:
    try:
        return shops.shop_by_domain(normalise_domain(domain) or domain).id
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
