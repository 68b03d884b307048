"""Is this installation able to do what the commands promise."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table

from onkos.arms import ARMS
from onkos.core.version import __version__
from onkos.io.dicom.decoders import decodable_syntaxes

_LIBRARIES = ("numpy", "scipy", "numba", "scikit-learn", "pydicom", "highdicom", "nibabel", "skops")
_PROGRAMS = {"dciodvfy": "dicom3tools", "dcmdump": "dcmtk", "chromium": "chromium"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    says: str
    remedy: str = ""
    optional: bool = False


def examine() -> list[Finding]:
    """Look at everything, in the order a person would."""
    python = sys.version.split()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = [
        Finding(what="onkos", ok=True, says=__version__),
        Finding(what="Python", ok=sys.version_info >= (3, 11), says=python),
        Finding(
            what="machine",
            ok=memory >= 4,
            says=f"{os.cpu_count()} threads, {memory:.0f} GiB memory",
            remedy="a four-channel brain needs about 2 GiB free",
        ),
    ]
    found += [_library(name) for name in _LIBRARIES]
    found += [
        Finding(what=f"decoder {name}", ok=ok, says="present" if ok else "missing", remedy=remedy)
        for name, ok, remedy in decodable_syntaxes()
    ]
    found += [_program(name, package) for name, package in _PROGRAMS.items()]
    found.append(Finding(what="arms", ok=bool(ARMS), says=", ".join(ARMS)))
    return found


def page(findings: list[Finding]) -> RenderableType:
    """Show the findings as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "remedy"):
        table.add_column(heading)
    for finding in findings:
        mark = "ok" if finding.ok else ("-" if finding.optional else "NO")
        table.add_row(mark, finding.what, finding.says, "" if finding.ok else finding.remedy)
    return table


def _library(name: str) -> Finding:
    try:
        return Finding(what=name, ok=True, says=importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(what=name, ok=False, says="missing", remedy=f"pip install {name}")


def _program(name: str, package: str) -> Finding:
    path = shutil.which(name)
    return Finding(
        what=name,
        ok=path is not None,
        says=path or "missing",
        remedy=f"only the tests use it; Debian: apt-get install {package}",
        optional=True,
    )
