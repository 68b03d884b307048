"""``onkos doctor``."""

from __future__ import annotations

from dataclasses import asdict

import typer

from onkos.cli import failure
from onkos.cli.options import Json


def doctor(json: Json = False) -> None:
    """Check this installation: libraries, decoders, threads, helper programs."""
    from onkos.cli import doctor as page
    from onkos.cli import show

    findings = page.examine()
    show.tell(json, {"checks": [asdict(finding) for finding in findings]}, page.page(findings))
    if not all(finding.ok or finding.optional for finding in findings):
        raise typer.Exit(failure.OUR_FAULT)
