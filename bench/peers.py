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
    "surfaces": (
        "monai==1.6.1",
        "torch==2.13.0",  # the CPU build serves
        "numpy",
        "scipy",
        "simpleitk",
        "surface-distance==0.1",
    ),
    "pyradiomics": ("pyradiomics==3.0.1", "--no-build-isolation"),
    "flash-radiomics": (
        "flash-radiomics==1.0.0",  # its requirements are not declared
        "numpy",
        "h5py",
        "simpleitk",
        "pykwalify",
        "pywavelets",
        "scipy",
        "scikit-image",
        "scikit-learn",
        "trimesh",
    ),
    "mirp": ("mirp==2.7.0",),
    "delong": ("mlstatkit==0.1.91",),
}
#: What has to be there before a peer can be built at all.
FIRST: dict[str, tuple[str, ...]] = {
    "pyradiomics": ("numpy", "setuptools<80", "wheel", "cython", "versioneer"),
}


def build(name: str) -> Path:
    """Make one peer's environment and return its interpreter."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for wanted in (FIRST.get(name), PEERS[name]):
            if wanted:
                command = [str(python), "-m", "pip", "install", "--quiet", *wanted]
                subprocess.run(command, check=True)
    return python


if __name__ == "__main__":
    for chosen in sys.argv[1:] or PEERS:
        sys.stdout.write(f"{chosen}: {build(chosen)}\n")
