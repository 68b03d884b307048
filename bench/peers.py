"""Build the throw-away environments of the peers that benchmarks measure against.

Usage: python bench/peers.py [NAME ...]     (all of them without a name)
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ENVIRONMENTS = Path(__file__).parent / ".envs"
PEERS: dict[str, tuple[str, ...]] = {
    "dicom2nifti": ("dicom2nifti==2.6.2",),
}


def build(name: str) -> Path:
    """Make one peer's environment and return its interpreter."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *PEERS[name]]
        subprocess.run(command, check=True)
    return python


if __name__ == "__main__":
    for chosen in sys.argv[1:] or PEERS:
        sys.stdout.write(f"{chosen}: {build(chosen)}\n")
