"""Judging finished predictions, from their table to the files of the result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onkos.cli.progress import Track
from onkos.cohort.predictions import find_outlines, load_predictions
from onkos.cohort.table import load_table
from onkos.core.evaluation import Evaluation
from onkos.evaluate import Evaluated, Settings, evaluate
from onkos.io import results
from onkos.io.whole import write_text
from onkos.report import evaluation as evaluation_page
from onkos.report import measures, words

JSON, PAGE = "evaluation.json", "report.html"
_MOST_SHOWN = 16


def evaluated(
    predictions: Path,
    *,
    truth: tuple[Path, str],
    masks: Path | None,
    settings: Settings,
    seed: int,
    track: Track,
) -> Evaluated:
    """Judge a table of predictions (and a folder of outlines) against a cohort's table.

    ``truth`` is the table and the name of its column of reference classes.
    """
    table, target = truth
    cohort = load_table(table, target=target, images=False)
    made = load_predictions(predictions)
    outlines = None if masks is None else find_outlines(masks, cohort, table=table)
    update = track(f"Judging {len(cohort.cases)} cases")
    found = evaluate(made, cohort, masks=outlines, settings=settings, seed=seed, done=update)
    update(1, 1)
    return found


def write(made: Evaluated, out: Path) -> tuple[Path, Path]:
    """Write ``evaluation.json`` and ``report.html``."""
    results.write_evaluation(out / JSON, made.evaluation)
    write_text(out / PAGE, evaluation_page.render(made.evaluation, made.drawings))
    return out / JSON, out / PAGE


def shown(made: Evaluation, written: Iterable[Path]) -> RenderableType:
    """Show the first metrics with their intervals, what limits them, and where all of it lies."""
    kind = "phantom patients" if made.simulated else "patients"
    head = f"{made.predictions} on {made.cohort}: {made.patients} {kind}, {made.cases} cases"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("metric", "estimate (95 %)", "n", "missed"):
        table.add_column(heading, overflow="fold")
    for name, one in list(made.metrics.items())[:_MOST_SHOWN]:
        estimate = str(words.estimated(one))
        table.add_row(measures.named(name), estimate, str(one.n), str(one.missed))
    rest = len(made.metrics) - _MOST_SHOWN
    more = [Text(f"and {rest} more metrics in {JSON}")] if rest > 0 else []
    caveats = [Text(f"  caveat: {caveat}", style="yellow") for caveat in made.caveats]
    files = [Text(f"  {path}") for path in written]
    return Group(Text(head), table, *more, *caveats, Text("Written:"), *files)
