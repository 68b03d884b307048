"""The version of this installation, as the package states it."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("onkos")
