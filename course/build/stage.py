"""A build happens aside, in a folder of its own, and takes its place when all of it is made: one that stops has changed nothing."""

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from course.grading.plugins.changed import keeping
from course.grading.seed import SEED, SEED_VARIABLE

from .execution import executed
from .registers import registers
from .release import make_release
from .sources import units, write

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.ipynb", ".ipynb_checkpoints")


class Stage:
    """A copy of the course's package and sources under `root` in which the lessons are run and released. Enter it, `build`, then `swap_in`."""

    def __init__(self, root, lessons):
        self.root, self.lessons = Path(root), lessons
        self.registers, self.twins = registers(self.root, lessons), {}

    def __enter__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="hidden-state-build-")
        self.running, self.released = (Path(self.scratch.name, name) for name in ("running", "released"))
        for folder, names in ((self.running, ("course", "solutions")), (self.released, ("solutions",))):
            for name in names:  # released apart from where they ran: what a lesson has written beside itself is no part of a unit
                shutil.copytree(self.root / name, folder / name, ignore=LEFT_OUT)
        for file, text in self.registers.items():
            write(self.running / file.relative_to(self.root), text)
        return self

    def __exit__(self, *error):
        self.scratch.cleanup()

    def build(self, say):
        """Run every lesson with the new registers, and release every unit. Raises BuildError."""
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for lesson, text in zip(self.lessons, pool.map(self._run, self.lessons)):
                self.twins[lesson.twin] = text
                write(self.released / lesson.twin.relative_to(self.root), text)
                say(f"{lesson.unit}/{lesson.name}: {len(lesson.notebook.cells)} cells ran, {'written' if _differs(lesson.twin, text) else 'unchanged'}")
        for unit in units(self.lessons):
            make_release(self.released, unit, say, settings=self.root)

    def _run(self, lesson):
        """The text of a lesson's twin. Its hidden cases are drawn from the course's own seed."""
        seed = self.root / (os.environ.get(SEED_VARIABLE) or SEED)
        return executed(lesson, self.running, self.running / "solutions" / lesson.unit, **{SEED_VARIABLE: str(seed)})

    def swap_in(self, say):
        """Put what was made into its place. Of notebooks/ what a learner has changed stays."""
        for unit in units(self.lessons):
            release = self.root / "notebooks" / unit
            with keeping(release, self.root / "solutions" / unit, say):
                shutil.rmtree(release, ignore_errors=True)
                shutil.copytree(self.released / "notebooks" / unit, release)
        for file, text in {**self.twins, **self.registers}.items():
            write(file, text)


def _differs(file, text):
    return not file.exists() or file.read_text(encoding="utf-8") != text
