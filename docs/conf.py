"""Sphinx settings. Notebooks of examples/ are run in every build; none may fail."""

import shutil
from pathlib import Path

import onkos

project = "Onkos"
author = copyright = "The Onkos authors"
release = version = onkos.__version__
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.doctest"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Onkos"
numpydoc_show_class_members = False
autodoc_typehints = "none"
myst_heading_anchors = 3

# Notebooks: committed without output, run here from the first cell to the last, each in a folder
# of its own. `-D nb_execution_mode=off` leaves them unrun, for a quick look at the other pages.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 600  # seconds a cell
nb_merge_streams = True

_here = Path(__file__).parent
_notebooks = sorted((_here.parent / "examples").glob("*.ipynb"))
_copies = _here / "examples"  # Sphinx reads nothing from outside its own folder
shutil.rmtree(_copies, ignore_errors=True)
_copies.mkdir()
for _notebook in _notebooks:
    shutil.copy2(_notebook, _copies)
_page = """# Examples

Notebooks, run when these pages were built: what they show is what this version answers.
"""
if _notebooks:
    _names = "\n".join(path.stem for path in _notebooks)
    _page += f"\n```{{toctree}}\n:maxdepth: 1\n{_names}\n```\n"
(_copies / "index.md").write_text(_page, encoding="utf-8")
