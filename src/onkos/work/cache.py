"""Features kept on disk by the digest of what they are made of, shared by processes and runs."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onkos.core.desk import Arrays
from onkos.core.geometry import AnyArray
from onkos.io.whole import written_whole

_GIB = 1 << 30
_ENDING = ".npz"
_WAIT_SECONDS = 0.05
_STALE_SECONDS = 600.0  # a lock older than this was left by a process that is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskCache:
    """A folder of arrays by key, bounded in size; what was used longest ago goes first.

    Two processes that want the same key make it once: the second waits for the first. Damaged
    files are made anew. Nothing but arrays of numbers and text is read back.

    Parameters
    ----------
    root
        The folder; made if missing.
    most_bytes
        Size that is kept to after each new entry.
    """

    root: Path
    most_bytes: int = 4 * _GIB

    def recall(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under the key, made and kept first where it is not there."""
        path = self._path(key)
        found = _read(path)
        if found is not None:
            return found
        with _locked(path.with_suffix(".lock")):
            found = _read(path)  # somebody else may have made it meanwhile
            if found is not None:
                return found
            made = make()
            self._keep(path, made)
        return made

    def _path(self, key: str) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()[:40]
        return self.root / name[:2] / f"{name}{_ENDING}"

    def _keep(self, path: Path, arrays: Arrays) -> None:
        with written_whole(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, allow_pickle=False, **{n: np.asarray(a) for n, a in arrays.items()})
        self._bound()

    def _bound(self) -> None:
        """Let go of what was used longest ago until the rest fits."""
        entries = []
        for path in self.root.glob(f"*/*{_ENDING}"):
            try:
                state = path.stat()
            except FileNotFoundError:
                continue
            entries.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total <= self.most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


def _read(path: Path) -> dict[str, AnyArray] | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            found = {name: kept[name] for name in kept.files}
        os.utime(path)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    return found


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock file; wait for another process that holds it, unless it is long gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            try:
                stale = time.time() - path.stat().st_mtime > _STALE_SECONDS
            except FileNotFoundError:
                continue
            if stale:
                path.unlink(missing_ok=True)
            else:
                time.sleep(_WAIT_SECONDS)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
