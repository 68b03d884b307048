"""Running the command line in the test's own process."""

from __future__ import annotations

import sys

import pytest

from onkos.cli import main


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
