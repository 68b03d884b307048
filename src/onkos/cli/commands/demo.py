"""``onkos demo``."""

from __future__ import annotations

from pathlib import Path

from onkos.cli import failure
from onkos.cli.options import Json, Out, Seed


def demo(out: Out = Path("demo"), seed: Seed = 2018, json: Json = False) -> None:
    """Simulate a cohort and a new patient (phantom), compare methods, read the patient."""
    from onkos.cli import show
    from onkos.cli.demo import run_demo

    with failure.quiet_for_machines(json) as console:
        made = run_demo(out, seed=seed, console=console)
    show.tell(json, made, show.demo(made))
