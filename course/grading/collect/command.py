"""The command `course collect FILE…`."""

import contextlib
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from course.grading.commands import add_command

HELP = """Put what was handed in where it is graded: from the download of your learning management system into submitted/.

FILE is the zip of all submissions as Canvas, Moodle, Blackboard or Brightspace gives it, that zip unpacked, the folder
of a Google Classroom assignment, or any folder with a folder for each student. Who somebody is, is looked up in
roster.csv (see: course roster --help): by number, login or e-mail, or else by the whole name. A name that is only alike
decides nothing.
"""
MORE = """examples:
  course collect pipeline submissions.zip --dry-run      say what would go where, and write nothing
  course collect pipeline submissions.zip                into submitted/STUDENT/pipeline/
  course collect pipeline submissions.zip --matches unmatched.csv
                                                         again, with the list that you have mended
  course collect pipeline "Unit 1/" --timezone Europe/Berlin

Whoever cannot be found in the roster is written to unmatched.csv, with the names that are most alike. Write the
student's id into the first column (two ids with a ; between them for a pair, - for nobody), and collect again with
--matches. What is in place already is not touched.
Where a student has a folder already, the files that were handed in take the place of those with the same name; the others
stay, and the whole folder as it was goes to submitted/.before/TIME/. Of several hand-ins the newest counts.
Blackboard and Brightspace say when something was handed in, and timestamp.txt keeps it for late penalties. Canvas and Moodle do
not say it in the download; Canvas says whether it was late.
A zip that a student handed in is unpacked. A path with .., a link, a zip in a zip, a zip bomb: left out, with the reason.

exit status: 0 everything is in place; 1 somebody could not be matched, or something was left out; 2 nothing was done, and the
message says why.
"""
DOWNLOADS = {"canvas": "Canvas", "moodle": "Moodle", "blackboard": "Blackboard", "brightspace": "Brightspace", "folder": "a folder of anything"}
UNMATCHED = "unmatched.csv"


def add_to(commands):
    """Add the command to argparse's others."""
    collect = add_command(commands, "collect", run, "put an LMS's download into submitted/", HELP, MORE)
    collect.add_argument("files", nargs="+", metavar="[UNIT] FILE", help="the unit, where the course has several; then zips and folders")
    collect.add_argument("--matches", metavar="CSV", help="an unmatched.csv whose first column you have filled in")
    collect.add_argument("--timezone", metavar="ZONE", help="of the times in the download, as Europe/Berlin (default: this machine's)")
    collect.add_argument("--dry-run", action="store_true", help="say what would go where, and write nothing")


def run(options):
    """Run the command. Returns the exit code."""
    from filelock import FileLock, Timeout  # these and nbgrader take seconds, and --help should not

    from course.grading.archive import Refused
    from course.grading.intake.unit import GradeError
    from course.grading.roster.people import RosterError
    from course.grading.roster.sheets import SheetError
    from course.grading.round import FOLDER, find_root

    here = Path.cwd()
    try:
        root = find_root()
        files = [here / file for file in options.files]
        matches = options.matches and here / options.matches
        os.chdir(root)
        (root / FOLDER).mkdir(mode=0o700, exist_ok=True)
        with FileLock(root / FOLDER / ".lock", timeout=0):
            return Collection(root, files, options).run(matches)
    except Timeout:
        print(f"a `course grade` or `course collect` is at work in {root}. Wait until it is done", file=sys.stderr)
    except OSError as error:
        print(f"{error.filename or root}: {error.strerror}", file=sys.stderr)
    except (GradeError, RosterError, Refused, SheetError) as error:
        print(error, file=sys.stderr)
    return 2


class Collection:
    """One run of the command."""

    def __init__(self, root, files, options):
        from course.grading.roster import people
        from course.grading.settings import course_directory

        self.root, self.dry = root, options.dry_run
        self.course = course_directory()
        source = Path(self.course.format_path(self.course.source_directory, ".", "."))
        self.units = sorted(folder.name for folder in source.glob("*") if folder.is_dir() and not folder.name.startswith("."))
        self.unit, self.files = self._unit(files)
        self.lessons = self._lessons()
        self.zone = _zone(options.timezone)
        self.people = people.read(root)
        if not self.people:
            raise people.RosterError(f"there is no {root / people.FILE}: nobody knows who is in the class. Make it first: course roster FILE.csv")
        self.submitted = Path(self.course.format_path(self.course.submitted_directory, ".", "."))
        self.now = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        self.left_out = 0

    def run(self, matches):
        """Collect. Returns the exit code."""
        from . import match, place

        mended = self._mended(matches)
        with contextlib.ExitStack() as stack:
            handed, entries = self._read(stack)
            matched, unmatched = match.match(handed, self.people, mended)
            plans = []
            for student, files in sorted(matched.items()):
                plan = self._plan(student, files, entries)
                plan.files = {path: (b"", source) for path, (_, source) in plan.files.items()}  # what is in place needs no memory
                plans.append(plan)
        self._tell_unmatched(unmatched)
        self._tell_rest(plans)
        if not self.dry:
            if plans:
                place.registered(self._folder() / place.REGISTER, [plan for plan in plans if plan.state != "failed"])
            if unmatched or mended:
                self._write_unmatched(match.as_table(unmatched, mended), unmatched)
        return 1 if unmatched or self.left_out else 0

    def _unit(self, files):
        """(the unit, the files): the unit is the first argument, or the only one there is."""
        from course.grading.intake.unit import GradeError

        units = self.units
        if files[0].name in units and not (files[0].exists() and len(files) == 1):
            if not files[1:]:
                raise GradeError(f"what is to be collected? Name a zip or a folder, as: course collect {files[0].name} submissions.zip")
            return files[0].name, files[1:]
        if len(units) == 1:
            return units[0], files
        raise GradeError(f"of which unit is this? Name it first, as: course collect {(units or ['UNIT'])[0]} {files[0].name}. There are: {', '.join(units)}")

    def _lessons(self):
        from .place import Lessons

        folders = [Path(self.course.format_path(part, ".", self.unit)) for part in (self.course.source_directory, self.course.release_directory)]
        return Lessons(frozenset(file.stem for folder in folders for file in folder.glob("*.ipynb")), (self.unit,))

    def _mended(self, matches):
        from course.grading.roster.sheets import SheetError

        from .match import read_mended

        try:
            return read_mended(matches, self.people) if matches else {}
        except SheetError as error:
            raise SheetError(f"{matches} {error}") from None

    def _read(self, stack):
        """([Handed], {id of a Handed: Entry}) of all downloads, each told in a line."""
        from course.grading import archive

        from . import forms

        handed, entries = [], {}
        for number, file in enumerate(self.files):
            try:
                download = stack.enter_context(archive.opened(file))
            except archive.Refused as error:
                raise archive.Refused(f"{file} {error}") from None
            lms, read, strange = forms.read_names([entry.name for entry in download.entries])
            print(f"{file.name}: {DOWNLOADS[lms]}, {len(read)} files")
            by_name = {entry.name: entry for entry in download.entries}
            for name, each in read.items():
                each = replace(each, download=number)
                handed.append(each)
                entries[id(each)] = by_name[name]  # two downloads may hold equal names
            for name, why in {**download.refused, **dict.fromkeys(strange, f"has no name as {DOWNLOADS[lms]} gives it")}.items():
                self._leave_out(f"{name} {why}; it was left out")
        return handed, entries

    def _leave_out(self, words):
        from course.grading.intake.submissions import shown

        self.left_out += 1
        print(f"  {shown(words)}")

    def _plan(self, student, files, entries):
        """Plan for one student, tell it, and carry it out."""
        from . import place

        folder = Path(self.course.format_path(self.course.submitted_directory, student, self.unit))
        plan = place.planned(student, folder, files, lambda each: entries[id(each)], self.lessons, self.zone)
        if not any(source for _, source in plan.files.values()):
            plan.state = "failed"
            plan.notes.append("nothing of it could be taken")
        elif not self.dry:
            staging = self._folder()
            try:
                place.carry_out(plan, self.submitted, staging, self.now)
            except OSError as error:  # one student's, and all others go on
                plan.state = "failed"
                plan.notes.append(f"it could not be written: {error.filename}: {error.strerror}")
        self.left_out += sum("left out" in note for note in plan.notes) + (plan.state == "failed")
        self._tell(plan)
        return plan

    def _folder(self):
        from course.grading.round import FOLDER

        folder = self.root / FOLDER / self.unit
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    # What is said

    def _tell(self, plan):
        from course.grading.intake.submissions import shown

        place = os.path.relpath(plan.folder, self.root)
        when = f", handed in {plan.time:%Y-%m-%d %H:%M} UTC" if plan.time else ""
        late = ", late" if plan.late else ""
        print(f"{shown(plan.student)} > {shown(place)}: {', '.join(shown(path) for path in sorted(plan.files))} ({plan.state}{when}{late})")
        if plan.state == "changed":
            print(f"  what was there {'would go' if self.dry else 'is now'} in submitted/.before/{self.now}/")
            if plan.kept:
                print(f"  of it stays: {', '.join(map(shown, plan.kept))}")
        for note in plan.notes:
            print(f"  {shown(note)}")

    def _tell_unmatched(self, unmatched):
        from course.grading.intake.submissions import shown

        for each in unmatched:
            perhaps = f". Perhaps {', '.join(each.perhaps)}" if each.perhaps else ""
            print(f"NOT MATCHED: {shown(each.handed[0].who)}, {len(each.handed)} files: {each.why}{perhaps}")

    def _tell_rest(self, plans):
        """Who handed in nothing, and the last line."""
        found = {plan.student for plan in plans}
        nothing = [person.id for person in self.people if person.id not in found and not self._has_folder(person.id)]
        if nothing:
            print(f"{len(nothing)} of {len(self.people)} handed in nothing: {', '.join(nothing)}")
        states = [plan.state for plan in plans]
        counted = ", ".join(f"{states.count(state)} {state}" for state in ("new", "changed", "unchanged", "failed") if state in states)
        print(f"{len(plans)} students: {counted or 'none'}.{' Nothing was written: it was a dry run.' if self.dry else ''}")

    def _has_folder(self, student):
        """Is anything of this unit's there already? It may lie in the student's own folder, where somebody has put it by hand."""
        if (folder := Path(self.course.format_path(self.course.submitted_directory, student, self.unit))).is_dir():
            return True
        others = [name for name in self.units if name != self.unit]
        return any(file.relative_to(folder.parent).parts[0] not in others for file in folder.parent.rglob("*") if file.is_file())

    def _write_unmatched(self, data, unmatched):
        file = self.root / UNMATCHED
        if file.exists() and file.read_bytes() != data:
            os.replace(file, file.with_name(f"{UNMATCHED}.before"))
        file.write_bytes(data)
        if unmatched:
            print(f"{len(unmatched)} NOT MATCHED. Write their ids into the first column of {UNMATCHED}, and collect again with --matches {UNMATCHED}")


def _zone(name):
    from zoneinfo import ZoneInfo

    from course.grading.intake.unit import GradeError

    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, KeyError):
        raise GradeError(f"nobody knows the time zone {name!r}. Write it as Europe/Berlin") from None
