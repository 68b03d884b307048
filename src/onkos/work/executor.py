"""Who runs pieces of work: this process, or several at once."""

from __future__ import annotations

import multiprocessing
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from onkos.core.comparison import FoldResult
from onkos.core.desk import Desk, silent
from onkos.work.piece import Piece, failed, run
from onkos.work.store import Store


class Executor(Protocol):
    """Runs pieces of work and gives each outcome as it is completed, in any order."""

    def results(
        self, pieces: Sequence[Piece], store: Store, desk: Desk
    ) -> Iterator[tuple[Piece, FoldResult]]:
        """Run all of them; an outcome does not depend on the order or on who ran it."""
        ...


@dataclass(frozen=True, slots=True)
class Serial:
    """One piece after the other, in this process."""

    def results(
        self, pieces: Sequence[Piece], store: Store, desk: Desk
    ) -> Iterator[tuple[Piece, FoldResult]]:
        """Run all of them in order."""
        for piece in pieces:
            yield piece, run(piece, store, desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Several pieces at once, each in a process of its own with its share of the threads.

    A process that dies ends its piece only, which is then told as failed.
    """

    count: int = 2

    def results(
        self, pieces: Sequence[Piece], store: Store, desk: Desk
    ) -> Iterator[tuple[Piece, FoldResult]]:
        """Run them and yield each as it ends."""
        context = multiprocessing.get_context("spawn")
        threads = max(1, desk.threads // self.count)
        with _heard(context, desk) as channel:
            quiet = replace(desk, threads=threads, tell=silent)
            with ProcessPoolExecutor(
                max_workers=self.count, mp_context=context, initializer=_listen, initargs=(channel,)
            ) as pool:
                waiting: dict[Future[FoldResult], Piece] = {
                    pool.submit(_run, piece, store, quiet): piece for piece in pieces
                }
                for future in as_completed(waiting):
                    yield waiting[future], _outcome(waiting[future], future)


def _outcome(piece: Piece, future: Future[FoldResult]) -> FoldResult:
    error = future.exception()
    return future.result() if error is None else failed(piece, f"{type(error).__name__}: {error}")


_CHANNEL: list[Any] = []  # of this process, where it is a worker


def _listen(channel: Any) -> None:
    _CHANNEL[:] = [channel]


def _run(piece: Piece, store: Store, desk: Desk) -> FoldResult:
    told = _CHANNEL[0] if _CHANNEL else None
    tell = silent if told is None else lambda *said: told.put((piece.arm.name, *said))
    return run(piece, store, replace(desk, tell=tell))


@contextmanager
def _heard(context: Any, desk: Desk) -> Iterator[Any]:
    """Pass on what workers tell of their progress while the block runs."""
    with context.Manager() as manager:
        channel = manager.Queue()
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    arm, done, total, what = channel.get(timeout=0.2)
                except (queue.Empty, EOFError, OSError):
                    continue
                desk.tell(done, total, f"{arm}: {what}")

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield channel
        finally:
            over.set()
            listener.join()
