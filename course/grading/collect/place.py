"""Putting hand-ins into submitted/: what would go where, and doing it. Nothing is overwritten without a copy."""

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from course.grading import archive, removal
from course.grading.intake.submissions import REPLACED

TIMESTAMP = "timestamp.txt"
REGISTER = "collected.json"
LMS_SUFFIX = re.compile(r"(-\d{1,3}| \(\d{1,3}\))$")
"""What Canvas puts behind the name of a file that is handed in again, and a browser behind one that is downloaded again."""


@dataclass
class Plan:
    """What is to be done for one student. files: {path: (bytes, Handed)}; time: when it was handed in, in UTC, or None; state: new, changed or unchanged;
    kept: files of before that stay; notes: sentences."""

    student: str
    folder: Path
    files: dict = field(default_factory=dict)
    time: datetime | None = None
    late: bool = False
    state: str = "new"
    kept: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def planned(student, folder, handed, read, lessons, zone):
    """The Plan for one student. handed: [Handed], those of later downloads behind; read: Handed -> archive.Entry; lessons: names of the unit's notebooks;
    zone: the time zone of the LMS; None is this machine's."""
    plan, found = Plan(student, Path(folder)), {}
    for each in sorted(handed, key=_age):
        for path, data in _files(each, read(each), plan.notes):
            path, own = _named(path, lessons, plan.student)
            if path == TIMESTAMP and each.lms != "folder":
                plan.notes.append(f"{each.source_name}: a {TIMESTAMP} of the student's own was left out")
            else:
                found.setdefault(path, []).append((own, data, each))
    for path, files in found.items():
        for own, (data, each) in _chosen(path, files, plan.notes).items():
            if _in_the_way(own, plan.files):
                plan.notes.append(f"{own} has the name of a folder that was handed in too; it was left out")
            else:
                plan.files[own] = data, each
    used = {each for _, each in plan.files.values()}
    times = [each.time for each in used if each.time]
    plan.time = max(times).replace(tzinfo=zone).astimezone(UTC) if times else None
    plan.late = any(each.late for each in used)
    if plan.time:
        plan.files[TIMESTAMP] = plan.time.strftime("%Y-%m-%d %H:%M:%S.%f UTC").encode(), None
    _compare(plan)
    return plan


def _chosen(path, files, notes):
    """{path: (bytes, Handed)} of the files that come to one name: the newest; or those of the newest hand-in under the names that the student gave,
    since an older name says nothing of which one is meant. files: [(name as it was, bytes, Handed)], the newest last."""
    newest = files[-1]
    beside = {own: (data, each) for own, data, each in files if (each.download, each.time) == (newest[2].download, newest[2].time)}
    if len({data for data, _ in beside.values()}) > 1:
        notes.append(f"{path} was handed in as {' and '.join(sorted(beside))}: grading takes the one with more work in it")
        return beside
    if any(data != newest[1] for _, data, _ in files):
        notes.append(f"{path} was handed in more than once: the newest is taken, {newest[2].source_name}")
    return {path: newest[1:]}


def _age(handed):
    return handed.time or datetime.min, int(handed.attachment or 0)


def _files(handed, entry, notes):
    """(path, bytes) of what was handed in; of what is in it, where it is a zip."""
    try:
        if not archive.IS_ZIP.search(handed.file):
            yield handed.file, entry.read()
            return
        found = archive.inside(entry.read())
        notes += [f"{handed.file}: {name} {why}; it was left out" for name, why in found.refused.items()]
        around = {each.name.partition("/")[0] for each in found.entries if "/" in each.name}
        cut = len(around) == 1 and all("/" in each.name for each in found.entries)
        for each in found.entries:
            yield each.name.partition("/")[2] if cut else each.name, each.read()
    except archive.Refused as error:
        notes.append(f"{handed.file} {error}; it was left out")


def _named(path, lessons, student):
    """(where a file goes below the student's folder, the same under its own name): without folders that are called as those of submitted/, and the
    first without a suffix of the LMS's."""
    parts = path.split("/")
    while len(parts) > 1 and parts[0] in (student, *lessons.units):
        parts.pop(0)
    own = "/".join(parts)
    stem, kind = os.path.splitext(parts[-1])
    for plain in (stem, LMS_SUFFIX.sub("", stem)):
        if kind.casefold() == ".ipynb" and plain in lessons.names:
            return "/".join([*parts[:-1], f"{plain}.ipynb"]), own
    return own, own


@dataclass(frozen=True)
class Lessons:
    """names: of the notebooks of a unit; units: names of folders that stand for the unit."""

    names: frozenset
    units: tuple


def _compare(plan):
    """Say what is there already: its files stay where the hand-in has none of that name, but for the time of an older one."""
    old = {}
    if plan.folder.is_dir() and not plan.folder.is_symlink():
        for top, _, names in os.walk(plan.folder):
            for name in names:
                file = Path(top, name)
                if file.is_file() and not file.is_symlink():
                    old[file.relative_to(plan.folder).as_posix()] = file
    if not old:
        return
    same = all(path in old and old[path].stat().st_size == len(data) and old[path].read_bytes() == data for path, (data, _) in plan.files.items())
    plan.state = "unchanged" if same and (TIMESTAMP not in old or TIMESTAMP in plan.files) else "changed"
    plan.kept = sorted(path for path in old if path not in plan.files and path != TIMESTAMP and not _in_the_way(path, plan.files))


def _in_the_way(path, files):
    return any(path.startswith(f"{other}/") or other.startswith(f"{path}/") for other in files)


def carry_out(plan, submitted, staging, now):
    """Do what a Plan says. submitted: the folder of that name; staging: a folder on the same disk. Raises OSError, and then nothing is changed."""
    if plan.state == "unchanged":
        return
    new = Path(tempfile.mkdtemp(dir=staging))
    try:
        for path in plan.kept:
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(plan.folder / path, new / path)
        for path, (data, _) in plan.files.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_bytes(data)
        new.chmod(0o755)
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        if plan.folder.is_symlink() or plan.folder.exists():
            aside = Path(submitted) / REPLACED / now / plan.folder.relative_to(submitted)
            aside.parent.mkdir(parents=True, exist_ok=True)
            os.rename(plan.folder, aside)
        os.rename(new, plan.folder)
    finally:
        removal.remove(new)


def registered(file, plans):
    """Note in collected.json where each file came from: packing feedback needs the names that the LMS gave. What is known of others stays."""
    known = read_register(file)
    for plan in plans:
        files = {path: _source(handed) for path, (_, handed) in plan.files.items() if handed}
        before = known.get(plan.student, {}).get("files", {})
        time = plan.time.isoformat() if plan.time else ""
        known[plan.student] = {"time": time, "late": plan.late, "files": {**{path: before[path] for path in plan.kept if path in before}, **files}}
    new = file.with_suffix(".new")
    new.write_text(json.dumps(known, indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(new, file)


def _source(handed):
    return {"lms": handed.lms, "source": handed.source_name, "user_id": handed.lms_id, "attachment_id": handed.attachment}


def read_register(file):
    """{student: {"time": …, "late": …, "files": {path: {"lms": …, "source": …, "user_id": …, "attachment_id": …}}}}; {} where there is none."""
    try:
        found = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
