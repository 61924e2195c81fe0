"""From the lessons' sources to everything that is made of them: `python -m course.build notebooks` and `… bundle`.

solutions/<unit>/<lesson>.md     what you edit, with quiz.yml and discuss.yml beside it
  -> course/learner/lessons.json, quiz.json, discussions.json and the lesson table in README.md
  -> solutions/<unit>/<lesson>.ipynb     the same lesson, executed
  -> notebooks/<unit>/<lesson>.ipynb     what a student opens, made by nbgrader
  -> dist/hidden-state-<unit>-<digest>.zip     what a student receives
"""

from .sources import ROOT, read_lessons, refuse_strays
from .stage import Stage


def rebuild(root=ROOT, say=print):
    """Make again everything that is made from the sources under `root`. Writes only what has changed, and nothing before all of it is made.

    say(line) reports progress. Raises BuildError for a source that cannot be built.
    """
    lessons = read_lessons(root)
    refuse_strays(root, lessons)
    with Stage(root, lessons) as stage:
        stage.build(say)
        stage.swap_in(say)
