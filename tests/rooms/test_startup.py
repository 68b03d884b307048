"""What starting costs: the public surface and the command line load only what they need."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import onkos
from onkos.cli.app import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "onkos"
HEAVY = {
    "cv2", "gdcm", "highdicom", "jinja2", "matplotlib", "nibabel", "numba", "numpy", "pandas",
    "pyarrow", "pydicom", "pywt", "scipy", "shapely", "skimage", "sklearn", "skops", "sksurv",
    "torch", "yaml",
}  # fmt: skip
LOADED = "import sys; print(*sorted(sys.modules), file=sys.stderr)"
RUN = """
import sys
from onkos.cli import main
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def python(code, *arguments, **environment):
    """Run code in a new interpreter; what it printed, and the modules it says were loaded."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return done.stdout, set(done.stderr.split())


def heavy(modules):
    """Names of the heavy libraries among loaded modules."""
    return {name.partition(".")[0] for name in modules} & HEAVY


def test_import_onkos_loads_no_library_and_two_modules_of_ours():
    _, modules = python(f"import onkos; {LOADED}")
    assert heavy(modules) == set()
    assert {name for name in modules if name.startswith("onkos")} == {
        "onkos", "onkos.core", "onkos.core.version",
    }  # fmt: skip
    assert not {"typer", "rich", "click", "importlib.metadata"} & modules


def test_the_errors_are_to_be_had_alone():
    _, modules = python(f"import onkos.core.errors; onkos.GeometryError; {LOADED}")
    assert heavy(modules) == set()


@pytest.mark.parametrize("asked", [(), ("--version",), ("--help",), ("--show-completion", "bash")])
def test_the_command_line_starts_without_libraries(asked):
    code = RUN if asked else f"import onkos.cli; {LOADED}"
    said, modules = python(code, *asked)
    assert heavy(modules) == set()
    assert "rich.progress" not in modules
    assert bool(said) == bool(asked)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_no_library(command):
    said, modules = python(RUN, command, "--help")
    assert f"onkos {command}" in said or "Usage:" in said
    assert heavy(modules) == set()
    work = {name for name in modules if re.match(r"onkos\.(?!cli|core)", name)}
    assert work == set()


@pytest.mark.parametrize(
    ("shell", "environment", "expected"),
    [
        ("bash", {"COMP_WORDS": "onkos re", "COMP_CWORD": "1"}, {"read", "readers", "report"}),
        ("bash", {"COMP_WORDS": "onkos read --ro", "COMP_CWORD": "2"}, {"--role"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "onkos doc"}, {"doctor"}),
        (
            "fish",
            {"_TYPER_COMPLETE_ARGS": "onkos pre", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
            {"predict"},
        ),
    ],
)
def test_the_shell_completes_words_without_libraries(shell, environment, expected):
    code = RUN.replace("import sys\n", "import sys\nsys.argv = ['onkos']\n", 1)
    said, modules = python(code, _ONKOS_COMPLETE=f"complete_{shell}", **environment)
    words = set(re.findall(r"[\w-]+", said))
    assert expected <= words
    assert heavy(modules) == set()


def test_the_public_list_its_homes_and_what_type_checkers_see_are_the_same():
    seen = {}
    for block in ast.parse((SOURCE / "__init__.py").read_text()).body:
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name):
            for one in block.body:
                names = {name.asname or name.name: name.name for name in one.names}
                seen |= {name: f"{one.module}:{there}" for name, there in names.items()}
    assert seen == onkos._HOMES
    assert sorted([*seen, "__version__"]) == sorted(onkos.__all__) == dir(onkos)


@pytest.mark.parametrize("name", onkos._HOMES)
def test_every_public_name_is_the_thing_itself(name):
    home, _, there = onkos._HOMES[name].partition(":")
    assert getattr(onkos, name) is getattr(import_module(home), there)


def test_a_name_that_is_not_there_is_an_attribute_error_and_an_import_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = onkos.nothing
    with pytest.raises(ImportError, match="nothing"):
        from onkos import nothing  # noqa: F401 - it is not there


@pytest.mark.parametrize(
    "first",
    [
        "import onkos.compare, onkos.read",
        "import onkos; onkos.Execution; onkos.with_errors",
        "from onkos.compare import Execution; from onkos.read import with_errors",
        "import onkos.cli.work",
    ],
)
def test_a_verb_is_the_function_whatever_was_imported_first(first):
    told = "import onkos; print(*(type(v).__name__ for v in (onkos.compare, onkos.read)))"
    said, _ = python(f"{first}\n{told}")
    assert said.split() == ["function", "function"]


def test_the_version_stands_in_one_place_and_in_what_is_cited():
    cited = re.search(r"^version: (.+)$", (REPOSITORY / "CITATION.cff").read_text(), re.M)
    assert cited[1] == onkos.__version__


def test_doctor_names_a_library_that_does_not_load_instead_of_failing():
    broken = RUN.replace("import sys\n", "import sys\nsys.modules['sklearn'] = None\n", 1)
    done = subprocess.run(
        [sys.executable, "-c", broken, "doctor"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    lines = [line.split()[:2] for line in done.stdout.splitlines()]
    assert ["NO", "scikit-learn"] in lines
    assert ["NO", "arms"] in lines
    assert ["ok", "numpy"] in lines
