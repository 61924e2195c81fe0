"""The zip that a student receives: one unit's notebooks and the package, no solution, no hidden case, no answer key."""

import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

from .release import make_release
from .sources import UNIT_PAGE, BuildError, text_of

INSTRUCTORS = ("grading", "build", "__main__.py", "__pycache__")
INSTRUCTORS_TABLES = ("project.optional-dependencies", "project.scripts", "project.entry-points", "tool.pytest", "tool.ruff")
INSTRUCTORS_DATA = r'^"course\.(grading|build)\b.*\n'
BESIDE = {"LICENSE": "LICENSE", "LICENSE-CONTENT.md": "LICENSE-CONTENT.md", "docs/AGENTS.student.md": "AGENTS.md", "setup.py": "setup.py"}
"""What else a student receives: where it lies here, and where in the bundle."""
INSTRUCTORS_PACKAGES = r"^( +)# to (teach|test)\b.*\n(\1- .*\n)+"
RELEASED = r"^date-released: *['\"]?(\d{4})-(\d\d)-(\d\d)\b"


def make_bundle(root, unit, say=print, into=None):
    """Pack one unit into dist/hidden-state-<unit>-<digest>.zip, or into another folder. Returns the file.

    In it is one folder of the same name, so that an update unpacks beside the work of before, never over it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = _bundled(root, unit, Path(scratch))
    content = hashlib.sha256()
    for place, data in files.items():
        content.update(f"{place}\0{len(data)}\0".encode() + data)
    name = f"hidden-state-{unit}-{content.hexdigest()[:8]}"
    target = (into or root / "dist") / f"{name}.zip"
    target.parent.mkdir(exist_ok=True)
    date = released(root)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, data in files.items():
            archive.writestr(_entry(f"{name}/{place}", date), data)
    say(f"{target}: {len(files)} files, {target.stat().st_size / 1024:.0f} KB")
    return target


def released(root):
    """The day of the release (year, month, day), from CITATION.cff: what a file browser shows as the files' age, the same in every build."""
    found = re.search(RELEASED, text_of(root / "CITATION.cff"), flags=re.MULTILINE)
    if not found:
        raise BuildError(f"{root / 'CITATION.cff'} has no line `date-released: 2026-11-25`, with the day of the release")
    return tuple(map(int, found.groups()))


def _entry(place, date):
    entry = zipfile.ZipInfo(place, (*date, 0, 0, 0))
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


def _bundled(root, unit, scratch):
    """{place in the bundle: bytes}. The notebooks are released anew, since those in notebooks/ may be somebody's work."""
    if not any((root / "solutions" / unit).glob("*.ipynb")):
        raise BuildError(f"{root / 'solutions' / unit} holds no notebooks: run `make notebooks` first, or name another unit")
    shutil.copytree(root / "solutions" / unit, scratch / "solutions" / unit, ignore=shutil.ignore_patterns("*.md", "*.yml"))
    make_release(scratch, unit, settings=root)
    files = {f"notebooks/{unit}/{file.name}": file.read_bytes() for file in (scratch / "notebooks" / unit).iterdir()}
    for file in (root / "course").rglob("*"):
        place = file.relative_to(root / "course")
        if file.is_file() and not set(place.parts) & set(INSTRUCTORS):
            files[f"course/{place.as_posix()}"] = file.read_bytes()
    lessons = json.loads(text_of(root / "course" / "learner" / "lessons.json"))
    project = _without_tables(text_of(root / "pyproject.toml"), INSTRUCTORS_TABLES)
    files["pyproject.toml"] = re.sub(INSTRUCTORS_DATA, "", project, flags=re.MULTILINE).encode()
    files["environment.yml"] = re.sub(INSTRUCTORS_PACKAGES, "", text_of(root / "environment.yml"), flags=re.MULTILINE).encode()
    files.update({place: (root / file).read_bytes() for file, place in BESIDE.items()})
    files["README.md"] = _student_readme(unit, lessons[unit]).encode()
    return dict(sorted(files.items()))


def _without_tables(toml, names):
    """TOML without the tables of these names, each from its header to the next."""
    tables = re.split(r"^(?=\[)", toml, flags=re.MULTILINE)
    return "".join(table for table in tables if not table.startswith(tuple(f"[{name}{end}" for name in names for end in ("]", "."))))


def _student_readme(unit, entries):
    first = f"notebooks/{unit}/{UNIT_PAGE}.ipynb"
    rows = "\n".join(f"- [{entry['title']}](notebooks/{unit}/{entry['lesson']}.ipynb), {entry['minutes']} minutes" for entry in entries)
    return STUDENT_README.format(unit=unit, first=first, rows=rows)


STUDENT_README = """# Hidden State: {unit}

How a recurrent network in PyTorch remembers, in lessons that check themselves. You need Python 3.11 or newer. In this folder:

    python3 -m venv .venv
    .venv/bin/python -m pip install -e .
    .venv/bin/python -m jupyter lab {first}

On Windows it is `.venv\\Scripts\\python`. With conda: `conda env create -f environment.yml`, then `conda run -n hidden-state jupyter lab`.

On Linux the second line brings PyTorch with the libraries for a graphics card: 3 GB to download, 6 GB on the disk. The lessons need none of them.
If your network reaches PyTorch's own index, this line in its place is much smaller:

    .venv/bin/python -m pip install -e . --extra-index-url https://download.pytorch.org/whl/cpu

{rows}

Which packages count: PyTorch, NumPy, Matplotlib, IPython, and what comes with Python itself. Where your work is graded there may be no others. There
the import of another one is left out, with what uses it above your functions, and the rest of the cell runs. A function that needs it inside gets no points.

An update comes as a folder of its own, under another name, and is set up with the same commands. Your work in this one stays as it is.
You use an assistant? AGENTS.md tells it how to help you without taking the learning away.
"""
