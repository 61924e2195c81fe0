"""Downloads and a class for the tests of collecting and exporting, from the small files in data/lms."""

import shutil
import zipfile
from pathlib import Path

from support import ROOT

from course.grading.roster import people
from course.grading.roster.people import Person

DATA = Path(__file__).parent / "grading" / "data" / "lms"
UNIT, ZERO, CELL = "pipeline", "02_zero_init", "03_cell_step"
CLASS = [
    Person("marta", "Marta", "Castaño Ruiz", "Marta.Castano@Example.edu", "A", {"canvas_id": "4101", "login_id": "marta_c"}),
    Person("minjun1", "Min-jun", "Kim", "minjun1@example.edu", "A", {"canvas_id": "4102", "participant_id": "7102"}),
    Person("minjun2", "Min-jun", "Kim", "minjun2@example.edu", "B", {"canvas_id": "4103", "participant_id": "7103"}),
    Person("zoe", "Zoë", "O'Brien", "zoe@example.edu", "A", {"canvas_id": "4104"}),
    Person("hanako [1]", "花子", "山田", "hanako@example.edu", "B"),
    Person("idle", "Ida", "Idle", "idle@example.edu", "B"),
]


def names(sample):
    return (DATA / sample).read_text(encoding="utf-8").splitlines()


def download(sample, target, content=None):
    """A zip with the names of a sample; in each file stands its name, unless content says otherwise."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names(sample):
            archive.writestr(name, (content or {}).get(name, name))
    return target


def course(root):
    """A course folder with two lessons that nobody has to run, and CLASS in its roster."""
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "solutions" / UNIT).mkdir(parents=True)
    for lesson in (ZERO, CELL):
        shutil.copy(ROOT / "solutions" / UNIT / f"{lesson}.ipynb", root / "solutions" / UNIT)
    people.write(root, CLASS)
    return root
