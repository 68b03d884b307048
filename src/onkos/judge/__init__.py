"""One judge a task: predictions and truths in, a Judgement out.

``compare`` and ``evaluate`` both judge here, so they cannot disagree.
"""

from onkos.judge.composition import JUDGES, Verdict, judge
from onkos.judge.settings import Settings

__all__ = ["JUDGES", "Settings", "Verdict", "judge"]
