"""Make the virtual environment and install Onkos into it, with uv where present, else pip.

Usage: python scripts/install.py VENV EXTRA
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path


def run(*command: str) -> None:
    """Run a command; stop with its exit code if it fails."""
    result = subprocess.run(command, check=False)  # noqa: S603 - our own fixed commands
    if result.returncode:
        sys.exit(result.returncode)


def make_environment(python: Path, uv: str | None) -> None:
    """Create the environment that ``python`` belongs to, unless it is there."""
    folder = python.parents[1]
    if python.exists():
        return
    if uv:
        run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        return
    if importlib.util.find_spec("ensurepip") is None:  # Debian ships python3 without it
        sys.exit(
            "python3 cannot make a virtual environment here: ensurepip is missing. "
            "Install it (Debian: apt-get install python3-venv) or install uv, and try again."
        )
    run(sys.executable, "-m", "venv", str(folder))


def main(venv: str, extra: str) -> None:
    """Install the package, editable, with one extra, under the committed constraints."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script meets older ones
        sys.exit(f"Onkos needs Python 3.11 or later; this is {sys.version.split()[0]}")
    uv = shutil.which("uv")
    python = Path(venv).absolute() / "bin" / "python"
    make_environment(python, uv)
    tool = (
        [uv, "pip", "install", "--python", str(python)]
        if uv
        else [str(python), "-m", "pip", "install"]
    )
    print(f"Installing Onkos into {venv} with {'uv' if uv else 'pip'} ...", flush=True)
    run(*tool, "--quiet", "-c", "constraints.txt", "-e", f".[{extra}]")


if __name__ == "__main__":
    main(*sys.argv[1:])
