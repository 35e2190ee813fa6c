"""`flask audit`: do the books balance?"""

from __future__ import annotations

import json
import sys

import click
from flask.cli import with_appcontext

from app.audit.service import audit


@click.command("audit")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def audit_command(as_json: bool) -> None:
    """Prove the invariants of the ledger and the pipeline; exit 1 on any difference."""
    findings = audit()
    differences = sum(finding.differences for finding in findings)
    if as_json:
        click.echo(json.dumps({"checks": len(findings), "differences": differences}))
    else:
        for finding in findings:
            mark = "ok  " if not finding.differences else "FAIL"
            click.echo(
                f"{mark} {finding.check.name:34} {finding.looked_at:>9} looked at  {finding.check.promise}"
            )
            for example in finding.examples:
                click.echo(f"       {example}")
        click.echo(f"audit: {len(findings)} checks, {differences} differences")
    sys.exit(1 if differences else 0)
