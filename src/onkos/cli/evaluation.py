"""Judging finished predictions, from their table or result folder to the files of the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onkos.cli import show
from onkos.cli.progress import Track
from onkos.cli.question import cohort_of
from onkos.cohort.predictions import find_outlines, load_predictions
from onkos.cohort.table import load_table
from onkos.core.case import Cohort
from onkos.core.comparison import Comparison, Evaluation
from onkos.core.errors import UsageError
from onkos.evaluate import COMPARISON, evaluate, judge_again, kept_settings
from onkos.io import results
from onkos.io.whole import write_json, write_text
from onkos.judge import Settings
from onkos.report import comparison as comparison_page
from onkos.report import evaluation as evaluation_page
from onkos.report import measures, words

JSON, PAGE, PAGE_BESIDE = "evaluation.json", "report.html", "evaluation.html"
_MOST_SHOWN = 16

Judged = Comparison | Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The words of the command; ``chosen`` are settings of the judge, None where not given."""

    predictions: Path
    truth: Path | None
    target: str
    masks: Path | None
    seed: int
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def judged(self, track: Track) -> Judged:
        """Judge a table of predictions, or again all arms of a comparison.

        Raises
        ------
        UsageError
            If a table comes without its truth.
        """
        given = {name: value for name, value in self.chosen.items() if value is not None}
        if self._is_result:
            cohort = self._cohort()
            settings = replace(kept_settings(self.predictions), **given)
            update = track(f"Judging {len(cohort.cases)} cases")
            again = judge_again(self.predictions, cohort, settings=settings, tell=update)
            update(1, 1, "judged")
            return again
        if self.truth is None:
            raise UsageError(
                f"{self.predictions}: predictions are judged against a table of cases; give it "
                "with --truth"
            )
        cohort = self._cohort()
        made = load_predictions(self.predictions)
        found = None
        if self.masks is not None:
            found = find_outlines(self.masks, cohort, table=self.truth)
        update = track(f"Judging {len(cohort.cases)} cases")
        judged = evaluate(
            made, cohort, masks=found, settings=Settings(**given), seed=self.seed, tell=update
        )
        update(1, 1, "judged")
        return judged

    def folder(self, out: Path | None) -> Path:
        """Where the result goes.

        Raises
        ------
        UsageError
            If a table comes without ``--out``.
        """
        if out is not None:
            return out
        if self._is_result:
            return self.predictions
        raise UsageError("give the folder to write to with --out")

    @property
    def _is_result(self) -> bool:
        return (self.predictions / COMPARISON).is_file()

    def _cohort(self) -> Cohort:
        if self.truth is not None:
            return load_table(self.truth, target=self.target, images=False)
        asked = results.load_comparison(self.predictions / COMPARISON).provenance.settings
        where = asked.get("question")
        return cohort_of(where if isinstance(where, Mapping) else {})


def write(made: Judged, out: Path) -> tuple[Path, Path]:
    """Write ``evaluation.json`` and its page; beside a comparison the page has another name."""
    page = out / (PAGE_BESIDE if (out / COMPARISON).is_file() else PAGE)
    write_json(out / JSON, plain(made))
    if isinstance(made, Comparison):
        write_text(page, comparison_page.render(made))
    else:
        write_text(page, evaluation_page.render(made))
    return out / JSON, page


def plain(made: Judged) -> dict[str, Any]:
    """The result for machines."""
    if isinstance(made, Comparison):
        return results.comparison_plain(made)
    return results.evaluation_plain(made)


def shown(made: Judged, written: Iterable[Path]) -> RenderableType:
    """Show the first metrics with their intervals, what limits them, and where all of it lies."""
    if isinstance(made, Comparison):
        return show.comparison(made, *written)
    kind = "phantom patients" if made.simulated else "patients"
    head = f"{made.predictions} on {made.cohort}: {made.patients} {kind}, {made.cases} cases"
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("metric", "estimate (95 %)", "n", "missed"):
        table.add_column(heading, overflow="fold")
    metrics = made.judgement.metrics
    for name, one in list(metrics.items())[:_MOST_SHOWN]:
        estimate = str(words.estimated(one))
        table.add_row(measures.named(name), estimate, str(one.n), str(one.missed))
    rest = len(metrics) - _MOST_SHOWN
    more = [Text(f"and {rest} more metrics in {JSON}")] if rest > 0 else []
    caveats = [Text(f"  caveat: {caveat}", style="yellow") for caveat in made.caveats]
    files = [Text(f"  {path}") for path in written]
    return Group(Text(head), table, *more, *caveats, Text("Written:"), *files)
