"""Feedback as a learning management system takes it back: under the names that it gave to what was handed in.

Canvas (Gradebook, an assignment, Upload Submissions) finds the student by the numbers in …_<user>_<attachment>_…; Moodle (View all submissions,
Upload multiple feedback files in a zip) by the folder Name_<participant>_assignsubmission_file.
"""

import re
import zipfile
from pathlib import Path

from course.grading.collect import forms

MOODLE_FOLDER = re.compile(r"(?P<before>.*?)(?P<folder>[^/]+_\d+_assignsubmission_[a-z]+)_?(?:/|_).+", re.DOTALL)


def names_for(system, files, pages):
    """{page: its name in the zip} for one student, or {} where nothing of it came from that system.

    files: {path: where it came from}, as collected.json has them; pages: names of the HTML files of feedback.
    """
    sources = {path: about for path, about in files.items() if about.get("lms") == system}
    found = {}
    for page in pages:
        about = sources.get(f"{Path(page).stem}.ipynb") or next(iter(sources.values()), None)
        name = about and (_for_canvas if system == "canvas" else _for_moodle)(about["source"], page)
        if name:
            found[page] = name
    return found


def _for_canvas(source, page):
    handed = forms.canvas(source.rpartition("/")[2])
    if not handed or not handed.attachment:  # a text that was typed has no attachment, and Canvas takes back nothing for it
        return None
    return f"{handed.source_name.removesuffix(f'_{handed.file}')}_{page}"


def _for_moodle(source, page):
    found = MOODLE_FOLDER.fullmatch(source)
    return found and f"{found['folder'].rstrip('_')}/{page}"


def write(target, contents):
    """Write a zip. contents: {name in it: file}. Raises OSError."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in contents.items():
            archive.write(file, name)
