"""How a command ends: a sentence and an exit code, never a traceback for bad input."""

from __future__ import annotations

import datetime
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from onkos.core.errors import OnkosError, UsageError
from onkos.core.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

USAGE, REFUSED, OUR_FAULT, INTERRUPTED = 2, 3, 1, 130


def run(command: Callable[[], int | None]) -> int:
    """Run a command line to its end and return its exit code.

    0 done; 1 our fault, with where the log lies; 2 wrong usage; 3 input refused; 130 stopped.
    """
    try:
        return _ended(command() or 0)
    except UsageError as error:
        return _say("usage", error, USAGE)
    except OnkosError as error:
        return _say("refused", error, REFUSED)
    except KeyboardInterrupt:
        return _ended(INTERRUPTED)
    except OSError as error:
        return _say("refused", error, REFUSED)
    except Exception:  # noqa: BLE001 - the last boundary: the traceback goes to the log
        log = _write_log(traceback.format_exc())
        _print(f"onkos: this is our fault, not yours. The log lies at {log}; please report it.")
        return OUR_FAULT


@contextmanager
def quiet_for_machines(json: bool) -> Iterator[Console]:
    """Give the console progress goes to: standard error, and silent where JSON is asked for."""
    from rich.console import Console

    yield Console(stderr=True, quiet=json)


def _ended(code: int) -> int:
    """Say what a stop means; the command line's library may have caught it before us."""
    if code == INTERRUPTED:
        _print("Stopped. What was finished is kept; the same command goes on from there.")
    return code


def _say(kind: str, error: Exception, code: int) -> int:
    _print(f"onkos: {kind}: {error}")
    return code


def _print(line: str) -> None:
    """Print to standard error, one line that no terminal width breaks."""
    typer.echo(line, err=True)


def _write_log(text: str) -> Path:
    """Keep a traceback where the user's system keeps logs."""
    import platformdirs

    stamp = datetime.datetime.now(datetime.UTC)
    folder = Path(platformdirs.user_log_dir("onkos", ensure_exists=True))
    path = folder / f"{stamp:%Y%m%dT%H%M%S%f}.log"
    path.write_text(f"onkos {__version__}, {stamp.isoformat()}\n{text}", encoding="utf-8")
    return path
