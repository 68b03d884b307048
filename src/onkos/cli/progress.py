"""Progress of a command on standard error, a bar for each job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LONGEST = 44  # letters of what a job is doing, so that the bar stays in 80 columns


class Update(Protocol):
    """Tells a bar how far its job is, and in a few words what it is doing."""

    def __call__(self, done: int, total: int, what: str = "", /) -> None:
        """Show it; a total of 0 means that it is not known."""
        ...


class Track(Protocol):
    """Opens a bar for a named job."""

    def __call__(self, what: str, /) -> Update:
        """Give what updates it."""
        ...


@contextmanager
def progress(*, quiet: bool) -> Iterator[Track]:
    """Show progress bars on standard error; each named job calls back with (done, all, what)."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=quiet),
    )

    def track(what: str, /) -> Update:
        job = bar.add_task(what, total=None)

        def update(done: int, total: int, now: str = "", /) -> None:
            shown = f"{what}: {now}" if now else what
            short = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}\u2026"
            if total:
                bar.update(job, completed=done, total=total, description=short)
            else:
                bar.update(job, description=short)

        return update

    with bar:
        yield track
