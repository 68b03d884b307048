"""The version: written here and nowhere else, so that asking for it costs nothing."""

from __future__ import annotations

__version__ = "0.1.0"
