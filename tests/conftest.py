"""What all tests share: the real data folder, Debian's programs, the command line, profiles."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from onkos.cli import main

settings.register_profile(
    "onkos", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("onkos")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The real, research-only data; ONKOS_DATA names it, else shared/data beside the checkout."""
    folder = Path(os.environ.get("ONKOS_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data folder {folder} is absent; set ONKOS_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """Path of a Debian program; skips without it, or fails where ONKOS_REQUIRE_TOOLS is set."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None and os.environ.get("ONKOS_REQUIRE_TOOLS"):
            pytest.fail(f"{name} is required here and not installed")
        if path is None:
            pytest.skip(f"{name} is not installed; see README, 'Programs the tests use'")
        return path

    return find


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(20260101)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line; gives its exit code, what it printed, and what it complained of."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["onkos", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return left.value.code, printed.out, printed.err

    return run
