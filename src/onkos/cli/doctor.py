"""Is this installation able to do what the commands promise."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import sys
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table

from onkos.core.version import __version__

#: As they are installed, and as they are imported.
_LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "numba": "numba",
    "scikit-learn": "sklearn",
    "pydicom": "pydicom",
    "highdicom": "highdicom",
    "nibabel": "nibabel",
    "skops": "skops.io",
}
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
    found += [_library(name, module) for name, module in _LIBRARIES.items()]
    found += _decoders()
    found += [_program(name, package) for name, package in _PROGRAMS.items()]
    found.append(_arms())
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


def _library(name: str, module: str) -> Finding:
    """Whether a library is installed and loads."""
    try:
        version = importlib.metadata.version(name)
        importlib.import_module(module)
    except importlib.metadata.PackageNotFoundError:
        return Finding(what=name, ok=False, says="missing", remedy=f"pip install {name}")
    except (ImportError, OSError) as error:
        remedy = f"pip install --force-reinstall {name}=={version}"
        return Finding(what=name, ok=False, says=f"{version} fails: {error}", remedy=remedy)
    return Finding(what=name, ok=True, says=version)


def _decoders() -> list[Finding]:
    """Which compressed images can be opened."""
    try:
        from onkos.io.dicom.decoders import decodable_syntaxes
    except ImportError as error:
        return [_unloaded("decoders", error)]
    return [
        Finding(what=f"decoder {name}", ok=ok, says="present" if ok else "missing", remedy=remedy)
        for name, ok, remedy in decodable_syntaxes()
    ]


def _arms() -> Finding:
    """Which methods there are."""
    try:
        from onkos.arms import ARMS
    except ImportError as error:
        return _unloaded("arms", error)
    return Finding(what="arms", ok=bool(ARMS), says=f"{len(ARMS)} methods")


def _unloaded(what: str, error: ImportError) -> Finding:
    return Finding(what=what, ok=False, says=str(error), remedy="install the library it names")


def _program(name: str, package: str) -> Finding:
    path = shutil.which(name)
    return Finding(
        what=name,
        ok=path is not None,
        says=path or "missing",
        remedy=f"only the tests use it; Debian: apt-get install {package}",
        optional=True,
    )
