"""From the lessons' sources to everything that is made of them: `python -m course.build notebooks` and `… bundle`.

solutions/<unit>/<lesson>.md     what you edit, with quiz.yml and discuss.yml beside it
  -> course/learner/lessons.json, quiz.json, discussions.json and the lesson table in README.md
  -> solutions/<unit>/<lesson>.ipynb     the same lesson, executed
  -> notebooks/<unit>/<lesson>.ipynb     what a student opens, made by nbgrader
  -> dist/hidden-state-<unit>-<digest>.zip     what a student receives
"""

import os
from concurrent.futures import ThreadPoolExecutor

from .execution import executed
from .registers import write_registers
from .release import make_release
from .sources import ROOT, read_lessons, refuse_strays, units, write


def rebuild(root=ROOT, say=print):
    """Make again everything that is made from the sources under `root`. Writes only what has changed.

    say(line) reports progress. Raises BuildError for a source that cannot be built.
    """
    lessons = read_lessons(root)
    refuse_strays(root, lessons)
    write_registers(root, lessons)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for lesson, text in zip(lessons, pool.map(lambda lesson: executed(lesson, root), lessons)):
            changed = write(lesson.twin, text)
            say(f"{lesson.unit}/{lesson.name}: {len(lesson.notebook.cells)} cells ran, {'written' if changed else 'unchanged'}")
    for unit in units(lessons):
        make_release(root, unit, say)
