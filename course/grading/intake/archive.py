"""What is in a folder or a zip that somebody else made: each file with its place, a way to open it, and when it was changed.

All is looked at before anything is opened: how many files, how large, where they would lie. Nothing is unpacked to the disk.
"""

import os
import re
import stat
import time
import zipfile
from contextlib import closing
from typing import NamedTuple

MOST_FILES = 2000
MOST_BYTES = 500 * 2**20
MOST_OF_ONE = 64 * 2**20
MOST_RATIO, SMALL = 200, 2**20
"""How many times larger than in the archive a file may be, where it is larger than a small one: text shrinks to a tenth, a bomb to a thousandth."""
MOST_DEPTH = 20
LONGEST, LONGEST_PLACE = 200, 1000
"""Of one name, in bytes, and of all names in each other."""
IS_ZIP = re.compile(r"\.zip$", re.IGNORECASE)
OTHER_ARCHIVES = re.compile(r"\.(?:rar|7z|tar|tgz|tar\.(?:gz|bz2|xz)|gz|xz|bz2)$", re.IGNORECASE)
OF_A_SYSTEM = re.compile(r"(?:^|/)(?:__MACOSX|\.ipynb_checkpoints|\.git)(?:/|$)|(?:^|/)(?:\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)$")
"""What a system or a program puts beside somebody's files."""
EXTENDED_TIME = b"UT"
NO_ZIP = "is no zip: the file is damaged or cut off"


class Refused(Exception):
    """An archive or a folder that is not read. The message says why, in words that may follow its name."""


class Item(NamedTuple):
    """A file: place, with / between its folders; opener(), an open binary file; mtime, seconds since 1970."""

    place: str
    opener: object
    mtime: float


def items(path):
    """An iterator over the Items in a folder or in a zip file, as (place, opener, mtime). Raises Refused, before the first, where one of them may not be read.

    path: of a folder, of a zip file, or an open binary file that holds a zip. A zip in it is an item like others. What systems put beside files is left out.
    """
    if isinstance(path, (str, os.PathLike)) and os.path.isdir(path):
        return iter(_in_folder(os.fspath(path)))
    return _in_zip(path)


def _in_folder(top):
    found, size = [], 0
    for folder, folders, names in os.walk(top):
        folders.sort()
        inside = os.path.relpath(folder, top).replace(os.sep, "/")
        if inside.count("/") >= MOST_DEPTH:
            raise Refused(f"holds more than {MOST_DEPTH} folders in each other")
        for name in sorted(names):
            place, path = name if inside == "." else f"{inside}/{name}", os.path.join(folder, name)
            if OF_A_SYSTEM.search(place):
                continue
            about = os.lstat(path)
            if not stat.S_ISREG(about.st_mode):
                raise Refused(f"holds {place!r}, which is {'a link' if stat.S_ISLNK(about.st_mode) else 'no file'}: put the file itself there")
            size += about.st_size
            _bound(place, about.st_size, len(found) + 1, size)
            found.append(Item(place, _opener(path), about.st_mtime))
    return found


def _opener(path):
    """Opens the file of this path, and no link that has come into its place."""
    return lambda: os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")


def _in_zip(path):
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
        raise Refused(NO_ZIP) from error
    try:
        entries = _checked(archive.infolist())
    except BaseException:
        archive.close()
        raise
    return _each(archive, entries)


def _each(archive, entries):
    with closing(archive):
        for place, entry in entries:
            yield Item(place, _entry_opener(archive, entry), _changed(entry))


def _checked(entries):
    """[(place, entry)] of the files in a zip. Raises Refused."""
    if len(entries) > MOST_FILES:
        raise Refused(f"holds more than {MOST_FILES} files: hand in the notebooks, and what they read")
    found, size = [], 0
    for entry in entries:
        place = entry.filename.replace("\\", "/")
        if entry.is_dir() or place.endswith("/") or OF_A_SYSTEM.search(place):
            continue
        _check_place(place)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise Refused(f"holds {place!r}, which is {'a link' if kind == stat.S_IFLNK else 'no file'}: put the file itself there")
        if entry.flag_bits & 1:
            raise Refused("is locked with a password: make one without")
        if entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise Refused(f"holds {place!r}, which is more than {MOST_RATIO} times larger than in the archive, as a zip bomb is")
        size += entry.file_size
        _bound(place, entry.file_size, len(found) + 1, size)
        found.append((place, entry))
    _check_folders({place for place, _ in found})
    return found


def _check_folders(places):
    for place in places:
        parts = place.split("/")
        folder = next((folder for folder in ("/".join(parts[:end]) for end in range(1, len(parts))) if folder in places), None)
        if folder:
            raise Refused(f"holds {folder!r} as a file and as a folder")


def _check_place(place):
    parts = place.split("/")
    if ".." in parts or place.startswith("/") or re.match(r"[a-zA-Z]:", place) or "\0" in place:
        raise Refused(f"holds {place!r}, a name that leads out of its folder")
    if len(parts) > MOST_DEPTH:
        raise Refused(f"holds more than {MOST_DEPTH} folders in each other")
    if not all(0 < len(part.encode("utf-8", "replace")) <= LONGEST and part != "." for part in parts) or len(place) > LONGEST_PLACE:
        raise Refused(f"holds {place[:80]!r}, a name that no file can have here")


def _bound(place, size, number, together):
    if number > MOST_FILES:
        raise Refused(f"holds more than {MOST_FILES} files: hand in the notebooks, and what they read")
    if size > MOST_OF_ONE:
        raise Refused(f"holds {place!r}, which is larger than {MOST_OF_ONE // 2**20} MB")
    if together > MOST_BYTES:
        raise Refused(f"holds more than {MOST_BYTES // 2**20} MB")


def _entry_opener(archive, entry):
    """Opens a file in a zip, as long as the iterator is not exhausted. Raises Refused where its packing is damaged or unknown."""

    def opened():
        try:
            return archive.open(entry)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
            raise Refused(f"holds {entry.filename!r}, which cannot be unpacked: {error}") from error

    return opened


def read(item, most):
    """The bytes of an Item. Raises Refused where there are more than `most`, or where they are damaged."""
    try:
        with item.opener() as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, zipfile.zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise Refused(f"holds {item.place!r}, which cannot be unpacked: {error}") from error
    if len(data) > most:
        raise Refused(f"holds {item.place!r}, which is larger than {most // 2**20} MB")
    return data


def _changed(entry):
    """When a file in a zip was changed: in UTC where the zip says so, else by the clock of the machine that packed it, taken for this one's."""
    extra = entry.extra
    while len(extra) >= 4:
        size = int.from_bytes(extra[2:4], "little")
        if extra[:2] == EXTENDED_TIME and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            return float(int.from_bytes(extra[5:9], "little", signed=True))
        extra = extra[4 + size :]
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (OverflowError, ValueError):
        return 0.0
