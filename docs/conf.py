"""Sphinx settings."""

import onkos

project = "Onkos"
author = copyright = "The Onkos authors"
release = version = onkos.__version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.doctest"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Onkos"
numpydoc_show_class_members = False
autodoc_typehints = "none"
myst_heading_anchors = 3
