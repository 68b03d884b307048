"""Progress of a command on standard error, a bar for each job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Track = Callable[[str], Callable[[int, int], None]]


@contextmanager
def progress(*, quiet: bool) -> Iterator[Track]:
    """Show progress bars on standard error; each named job calls back with (done, all)."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=quiet),
    )

    def track(what: str) -> Callable[[int, int], None]:
        job = bar.add_task(what, total=None)
        return lambda done, total: bar.update(job, completed=done, total=total)

    with bar:
        yield track
