"""Agreement of several readers on the same cases: categories, measurements or outlines."""

from onkos.agree.composition import Agreed, agree
from onkos.agree.part import Settings

__all__ = ["Agreed", "Settings", "agree"]
