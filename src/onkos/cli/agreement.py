"""The agreement of several readers, from what was given to the files of the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from onkos.agree import Agreed, Settings, agree
from onkos.agree.part import Weights, Within
from onkos.cli.progress import Track
from onkos.cohort.outlines import Outlined, find_outlines
from onkos.cohort.readings import load_readings
from onkos.cohort.scales import Measured, Rated, measured, rated
from onkos.core.agreement import Agreement
from onkos.core.errors import UsageError
from onkos.core.mask import Mask
from onkos.io import nifti
from onkos.io.whole import write_json, write_table, write_text
from onkos.report import agreement as page
from onkos.report import words

JSON, PAGE, REVIEW, CONSENSUS = "agreement.json", "report.html", "labels-to-review.csv", "consensus"
_TABLES = (".csv", ".csv.gz")
_MOST_SHOWN = 16
WEIGHTS: dict[str, Weights] = {
    "quadratic": "quadratic",
    "linear": "linear",
    "ordinal": "ordinal",
}
WITHIN: dict[str, Within] = {"box": "box", "image": "image"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was given, and what the options say of it."""

    paths: tuple[Path, ...]
    settings: Settings
    readers: tuple[str, ...] = ()
    scale: str = ""
    order: tuple[str, ...] = ()
    unit: str = ""
    image: Path | None = None

    def opened(self) -> Rated | Measured | Outlined:
        """Table or outlines, ready to be compared.

        Raises
        ------
        UsageError
            If the options contradict each other or the table.
        """
        if not self._is_table:
            self._refuse("outlines", scale=self.scale, order=self.order, unit=self.unit)
            return find_outlines(self.paths, readers=self.readers, image=self.image)
        self._refuse("a table", image=self.image)
        table = load_readings(self.paths[0], readers=self.readers)
        if self.unit and (self.scale or self.order):
            raise UsageError("--unit is for measurements, --scale and --order for categories")
        if table.column == "value" and not self.unit:
            raise UsageError(
                f"{self.paths[0]}: measurements without a unit; name it with --unit, e.g. "
                "--unit mm (--unit 1 where there is none)"
            )
        if table.column == "rating" and self.unit:
            raise UsageError(
                f"{self.paths[0]}: a column rating and --unit; measurements stand in a column value"
            )
        if self.unit:
            return measured(table, unit=self.unit)
        if not table.column and not self.scale and not self.order:
            raise UsageError(
                f"{self.paths[0]}: categories or measurements? Say --scale nominal or "
                "--scale ordinal for the one, --unit (e.g. mm) for the other"
            )
        return rated(table, scale=self.scale or None, order=self.order)

    @property
    def _is_table(self) -> bool:
        tables = [path for path in self.paths if path.name.lower().endswith(_TABLES)]
        if tables and len(self.paths) > 1:
            raise UsageError(
                f"{tables[0]} is a table; give one table, or masks, or one folder a reader"
            )
        return bool(tables)

    @staticmethod
    def _refuse(what: str, **options: object) -> None:
        given = [name for name, value in options.items() if value]
        if given:
            raise UsageError(f"--{given[0]} says nothing of {what}; leave it out")


def agreed(asked: Asked, out: Path, *, seed: int, track: Track) -> tuple[Agreed, list[Path]]:
    """Compare the readers and write everything; what was written comes back too."""
    readings = asked.opened()
    written: list[Path] = []

    def keep(case: str, method: str, mask: Mask) -> None:
        path = out / CONSENSUS / method / f"{case}.nii.gz"
        nifti.write_mask(path, mask)
        written.append(path)

    if isinstance(readings, Outlined):
        update = track(f"Comparing {words.counted(len(readings.cases), 'case')}")
        made = agree(readings, settings=asked.settings, seed=seed, keep=keep, done=update)
    else:
        made = agree(readings, settings=asked.settings, seed=seed)
    write_json(out / JSON, made.agreement)
    _write_review(out / REVIEW, made.agreement)
    write_text(out / PAGE, page.render(made.agreement, made.drawings))
    folders = sorted({path.parent for path in written})
    return made, [out / JSON, out / REVIEW, *folders, out / PAGE]


def _write_review(path: Path, found: Agreement) -> None:
    """Write the cases to look at again; without one the header stands alone."""
    rows = [
        {
            "rank": str(one.rank),
            "case": one.case,
            "score": f"{one.score:.6g}",
            "measure": one.measure,
            "suspected": "; ".join(one.suspected),
            "reason": one.reason,
            **{f"reader {reader}": one.readings.get(reader, "") for reader in found.readers},
        }
        for one in found.review
    ]
    if rows:
        write_table(path, rows)
    else:
        write_text(path, "rank,case,score,measure,suspected,reason\n")


def settings(*, weights: str, within: str) -> Settings:
    """Options as settings; what is unknown is refused by them."""
    if weights not in WEIGHTS or within not in WITHIN:
        raise UsageError(
            f"--weights {weights}, --within {within}: expected one of {', '.join(WEIGHTS)}, and "
            f"{' or '.join(WITHIN)}"
        )
    return Settings(weights=WEIGHTS[weights], within=WITHIN[within])


def shown(found: Agreement, written: Iterable[Path]) -> RenderableType:
    """Show the answer, the main numbers, what limits them, and where all of it lies."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("what", "readers", "estimate (95 %)", "n"):
        table.add_column(heading, overflow="fold")
    for one in found.found[:_MOST_SHOWN]:
        who = " and ".join(one.readers) or "all"
        name = page.named(one)
        table.add_row(name, who, str(words.estimated(one.estimate)), str(one.estimate.n))
    rest = len(found.found) - _MOST_SHOWN
    more = [Text(f"and {rest} more numbers in {JSON}")] if rest > 0 else []
    caveats: Sequence[Text] = [Text(f"  caveat: {one}", style="yellow") for one in found.caveats]
    files = [Text(f"  {path}") for path in written]
    head = Text(page.answer(found))
    return Group(head, Text(page.setting(found)), table, *more, *caveats, Text("Written:"), *files)
