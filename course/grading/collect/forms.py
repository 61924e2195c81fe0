"""What the names in a download say: whose file it is, and when it was handed in. One small parser an LMS.

Canvas: instructure/canvas-lms, lib/content_zipper.rb. Moodle: mod/assign/classes/downloader.php. Blackboard and Brightspace: their help pages.
Google Classroom documents no name: its folder is one of anything.
"""

import os
import re
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Handed:
    """One file that was handed in.

    lms: canvas, moodle, blackboard, brightspace or folder; who: a name, a login or whatever stands for the student; lms_id: the number or the
    login that the LMS gives, or ""; time: a datetime as the LMS writes it, without a zone, or None; late: whether the LMS says so; file: its
    path as the student named it; source_name: its path in the download; attachment: Canvas's number of it, or ""; download: which one of several.
    """

    lms: str
    who: str
    lms_id: str
    time: datetime | None
    late: bool
    file: str
    source_name: str
    attachment: str = ""
    download: int = 0


CANVAS = re.compile(r"(?:(?P<who>.+?)_)??(?P<late>LATE_)?(?P<id>\d+|anon_[0-9A-Za-z]+)_(?P<attachment>\d+)_(?P<file>.+)", re.DOTALL)
CANVAS_TEXT = re.compile(r"(?:(?P<who>.+?)_)??(?P<late>LATE_)?(?P<id>\d+|anon_[0-9A-Za-z]+)_(?P<file>(?:text|link)\.html)", re.DOTALL)
MOODLE = re.compile(r"(?P<who>.*?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_?/|_)(?P<file>.+)", re.DOTALL)
BLACKBOARD = re.compile(r"(?P<head>.+_(?P<who>[^_]+))_[^_\d]+_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.DOTALL)
BRIGHTSPACE = re.compile(r"(?P<id>\d+)-\d+ - (?P<who>[^/]+) - (?P<time>[^/]*\d{4}[^/]*)/(?P<file>.+)", re.DOTALL)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def canvas(name):
    """rivasmarta_LATE_4101_90017_homework.ipynb, or with anon_Ab3xY in place of name and number. The download says no time."""
    if "/" in name:
        return None
    found = CANVAS.fullmatch(name) or CANVAS_TEXT.fullmatch(name)
    if not found or not (found["who"] or found["id"].startswith("anon_")):
        return None
    about = found.groupdict()
    return Handed("canvas", about["who"] or about["id"], about["id"], None, bool(about["late"]), about["file"], name, about.get("attachment", ""))


def moodle(name):
    """Marta Rivas_7101_assignsubmission_file/homework.ipynb; until Moodle 4.0 with _ before the /, until 3.0 with _ in its place."""
    found = MOODLE.fullmatch(name)
    return found and Handed("moodle", found["who"], found["id"], None, False, found["file"], name)


def blackboard(name):
    """Unit 1_mrivas_attempt_2025-10-10-10-22-13_homework.ipynb. The word may be translated. Beside it lies a .txt of what was typed.

    Both the assignment and the login may hold a _: the lms_id is both together, and whoever knows the class tells them apart.
    """
    found = BLACKBOARD.fullmatch(os.path.basename(name))
    time = found and _time(found["time"], "%Y-%m-%d-%H-%M-%S")
    if not time:
        return None
    return Handed("blackboard", found["who"], found["head"], time, False, found["file"] or "", name)


def brightspace(name):
    """39786-640693 - Marta Rivas - Oct 10, 2025 1022 AM/homework.ipynb."""
    found = BRIGHTSPACE.fullmatch(name)
    return found and Handed("brightspace", found["who"], found["id"], _brightspace_time(found["time"]), False, found["file"], name)


def folder(name):
    """Anything: the first folder is the student's; of a file in none, its own name may hold who it is."""
    first, _, rest = name.partition("/")
    return Handed("folder", first, "", None, False, rest, name) if rest else Handed("folder", os.path.splitext(first)[0], "", None, False, first, name)


FORMS = (moodle, brightspace, canvas, blackboard)


def read_names(names):
    """(lms, {name: Handed}, [names that say of nobody]) of all names in a download: the form that most of them have, or that of any folder.

    What an LMS adds itself, as Blackboard's .txt and Brightspace's index.html, is in neither.
    """
    for shift in (0, 1):  # a download that was unpacked and packed again has one more folder around
        cut = [name.partition("/")[2] if shift else name for name in names]
        if shift and ("" in cut or len({name.partition("/")[0] for name in names}) > 1):
            break
        form, found = max(((form, [form(name) for name in cut]) for form in FORMS), key=lambda each: sum(map(bool, each[1])))
        meant = [name for name in cut if not _is_companion(form.__name__, name)]
        if sum(map(bool, found)) * 2 > len(meant) > 0:
            handed = {name: each for name, each in zip(names, found) if each and each.file}
            return form.__name__, handed, [name for name, short, each in zip(names, cut, found) if not each and not _is_companion(form.__name__, short)]
    return "folder", {name: folder(name) for name in names}, []


def _is_companion(lms, name):
    return (lms == "brightspace" and name == "index.html") or (lms == "blackboard" and bool((found := blackboard(name)) and not found.file))


def _time(text, form):
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def _brightspace_time(text):
    """Oct 10, 2025 1022 AM; the month may be written out, the comma or the half of the day left out. None where it is in another language."""
    found = re.fullmatch(r"([A-Za-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4}),? (\d{1,2}):?(\d\d)(?: ?([AP])\.?M\.?)?", text.replace("\u202f", " ").strip())
    if not found or found[1].casefold() not in MONTHS:
        return None
    hour = int(found[4]) % 12 + 12 * (found[6] == "P") if found[6] else int(found[4])
    return _time(f"{found[3]}-{MONTHS.index(found[1].casefold()) + 1}-{found[2]} {hour}:{found[5]}", "%Y-%m-%d %H:%M")
