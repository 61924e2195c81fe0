"""Lose nothing: what a learner has changed in a release folder outlives every new release.

nbgrader empties the release folder before it writes a new release, and again where that fails. So whatever is not an untouched
notebook of an earlier release is moved aside first, and moved back afterwards, come what may; and a release that fails leaves the one before it.
"""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path


def digest(cells):
    """A short digest of what a reader can change in cells: their types and sources, not their outputs or ids."""
    text = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:16]


def is_untouched(file, stamp):
    """Is this notebook still as it was generated? `stamp` names the key under metadata.hidden_state with its digest.

    False also for what is no notebook or carries no stamp: then nobody can tell.
    """
    try:
        notebook = json.loads(file.read_text(encoding="utf-8"))
        return notebook["metadata"]["hidden_state"][stamp] == digest(notebook["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextlib.contextmanager
def keeping(release, source, say):
    """While inside, `release` may be emptied and written anew; afterwards the learner's own files are back in place. After an error, all files are.

    release, source: the folders of one unit; say(sentence) is called for each lesson that was kept.
    """
    release, source = Path(release), Path(source)
    aside, before = release.with_name(f".{release.name}.kept"), release.with_name(f".{release.name}.before")
    _put_back(before, release)  # an earlier run may have been killed half-way
    _bring_back(aside, release)
    _copy_whole(release, before)
    for file in _files(release):
        place = file.relative_to(release)
        if _is_learners(file, source / place):
            (aside / place).parent.mkdir(parents=True, exist_ok=True)
            file.replace(aside / place)
    try:
        yield
    except BaseException:
        shutil.rmtree(release, ignore_errors=True)
        _put_back(before, release, without=aside)
        raise
    finally:
        shutil.rmtree(before, ignore_errors=True)
        for place in _bring_back(aside, release):
            if (source / place).exists():
                say(f"kept {_short(release / place)}, because you have changed it. To get the new version, rename or delete it, then run `make notebooks`")


def _copy_whole(release, before):
    """A copy of a release folder under another name: there only when all of it is."""
    unfinished = before.with_name(f"{before.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    if release.is_dir():
        shutil.copytree(release, unfinished, symlinks=True)
        unfinished.replace(before)


def _put_back(before, release, without=None):
    """Put the release of before in place where a newer one has not come to be whole. What lies in the folder `without` comes back by itself."""
    if not before.is_dir():
        return
    for file in _files(before):
        place = file.relative_to(before)
        if not (release / place).exists() and not (without and (without / place).exists()):
            (release / place).parent.mkdir(parents=True, exist_ok=True)
            file.replace(release / place)
    shutil.rmtree(before, ignore_errors=True)


def _is_learners(file, source):
    if file.suffix == ".ipynb":
        return not is_untouched(file, "release")
    return not source.exists()


def _bring_back(aside, release):
    """Move everything in `aside` back to its place in `release`. Returns the places."""
    places = [file.relative_to(aside) for file in _files(aside)]
    for place in places:
        target = _free(release / place)
        target.parent.mkdir(parents=True, exist_ok=True)
        (aside / place).replace(target)
    for folder, _, _ in os.walk(aside, topdown=False):
        os.rmdir(folder)
    return places


def _free(target):
    """The target itself, unless work newer than the file to be brought back is there: then a name beside it."""
    number, place = 1, target
    while place.exists() and not is_untouched(place, "release"):
        place = target.with_name(f"{target.stem}.kept-{number}{target.suffix}")
        number += 1
    return place


def _files(folder):
    return sorted(file for file in folder.rglob("*") if file.is_file() or file.is_symlink())


def _short(path):
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
