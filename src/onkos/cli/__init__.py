"""The command line: thin commands over the three verbs."""

from onkos.cli.app import main

__all__ = ["main"]
