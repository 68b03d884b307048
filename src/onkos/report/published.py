"""What was published on other patients, beside what was found here and never mixed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onkos.core.comparison import Comparison
from onkos.report import measures

_TOLD = ("system", "doi", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published system's figures as they were printed.

    Parameters
    ----------
    system, doi, data
        Which one, where, and on which patients; empty where the recipe does not say.
    cells
        Its figure under each column of the main table, empty where it gives none.
    others
        Names and figures that have no column.
    """

    system: str
    doi: str
    data: str
    cells: tuple[str, ...]
    others: tuple[tuple[str, str], ...]


def published(comparison: Comparison, metrics: Sequence[str]) -> Published | None:
    """Lay out the recipe's published figures under the main table's metrics; None without any."""
    paper = dict(comparison.paper)
    if not paper:
        return None
    system, doi, data = (paper.pop(name, "") for name in _TOLD)
    return Published(
        system=system,
        doi=doi,
        data=data,
        cells=tuple(paper.get(name, "") for name in metrics),
        others=tuple(
            (measures.named(name), text) for name, text in paper.items() if name not in metrics
        ),
    )
