"""Where work is done: device, threads, scratch folder, cache, and whom to tell of progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from onkos.core.geometry import AnyArray

Tell = Callable[[int, int, str], None]
Arrays = Mapping[str, AnyArray]


def silent(_done: int, _total: int, _what: str) -> None:
    """Tell nobody."""


class Cache(Protocol):
    """Keeps what is slow to make under the digest of all that it is made of."""

    def recall(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under the key, made and kept first where it is not there."""
        ...


@dataclass(frozen=True, slots=True)
class NoCache:
    """Keeps nothing."""

    def recall(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """Make it anew."""
        del key
        return make()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where work is done. It changes no result, so it is part of no key.

    Parameters
    ----------
    device
        ``cpu``, ``cuda``, ``cuda:1``: where nets run.
    threads
        How many threads a fit or a prediction may use.
    scratch
        Folder for checkpoints of one piece of work; None where nothing may be kept.
    cache
        Features already made, shared by folds, processes and runs.
    tell
        Called with (done, all, what) while work goes on.
    """

    device: str = "cpu"
    threads: int = 2
    scratch: Path | None = None
    cache: Cache = field(default_factory=NoCache)
    tell: Tell = silent


#: A desk for a quick piece of work: two threads, nothing kept, nobody told.
PLAIN = Desk()
