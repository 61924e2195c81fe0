"""Reading what others have packed: an LMS's download, a folder, a student's zip. Within bounds, and nothing that leads out of it.

All is looked at before anything is opened: how many files, how large, where they would lie. What may not be read is left out, with the reason, and
the rest is taken. Nothing is unpacked to the disk here.
"""

import contextlib
import io
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bounds:
    """How much is read. files: at most so many; together, one: bytes of all of them, and of one."""

    files: int
    together: int
    one: int


DOWNLOAD = Bounds(10_000, 4 * 2**30, 200 * 2**20)
HANDED_IN = Bounds(2000, 500 * 2**20, 64 * 2**20)
"""Of a class, and of the zip of one student."""
MOST_RATIO, SMALL = 200, 2**20
"""How many times larger than packed a file may be: text shrinks to a tenth, a bomb to a thousandth. Below SMALL bytes nobody minds."""
DEPTH = 20
"""Folders in folders."""
LONGEST, LONGEST_PLACE = 200, 1000
"""Bytes of one name, and signs of all names in each other."""
JUNK = re.compile(r"(^|/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(/|$)", re.IGNORECASE)
"""What systems and programs put beside somebody's files."""
IS_ZIP = re.compile(r"\.zip$", re.IGNORECASE)
OTHERS = re.compile(r"\.(?:rar|7z|tar|tgz|gz|bz2|xz|zst)$", re.IGNORECASE)
ENCRYPTED = 0x1


class Refused(Exception):
    """Something packed, or a file in it, is not taken. The message says why, in words that may follow its name."""


@dataclass(frozen=True)
class Entry:
    """One file. name: its path in the download, with /; size: bytes as the download says; read: gives them, or raises Refused."""

    name: str
    size: int
    read: Callable[[], bytes]


@dataclass
class Download:
    """What is in one. entries: the files that may be taken; refused: {name: why} of those that may not."""

    entries: list
    refused: dict


@contextlib.contextmanager
def opened(place):
    """The Download at a place, open while inside. Raises Refused for what makes the whole of it unreadable."""
    place = Path(place)
    try:
        if not place.exists():
            raise Refused("is not there")
        if place.is_dir():
            yield _of_folder(place)
        elif zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                yield of_zip(archive)
        elif OTHERS.search(place.name):
            raise Refused("is packed in a way that is not read here. Unpack it, and collect the folder")
        elif IS_ZIP.search(place.name):
            raise Refused("is no zip, or a damaged one. Download it again")
        else:
            yield Download([_of_file(place.name, place)], {})
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror or error}") from None
    except zipfile.BadZipFile as error:
        raise Refused(f"is a damaged zip ({error}). Download it again") from None


def inside(data):
    """The Download in the bytes of a zip that a student handed in, all of it read. A zip in that one is left out. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = of_zip(archive, HANDED_IN)
            entries, refused = [], found.refused
            for each in found.entries:
                try:
                    entries.append(_taken_out(each))
                except Refused as error:
                    refused[each.name] = str(error)
            return Download(entries, refused)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError):
        raise Refused("is no zip: the file is damaged or cut off") from None


def _taken_out(entry):
    """An Entry whose bytes are here, whatever becomes of the zip."""
    if IS_ZIP.search(entry.name):
        raise Refused("is a zip in a zip. Unpack it and hand in the files")
    data = entry.read()
    return Entry(entry.name, len(data), lambda: data)


# Zips


def of_zip(archive, bounds=DOWNLOAD):
    """The Download in an open ZipFile. Raises Refused for what makes the whole of it unreadable."""
    infos = archive.infolist()
    if len(infos) > bounds.files:
        raise Refused(f"holds {len(infos):,} files, and no more than {bounds.files:,} are read. Hand in, or collect, only what belongs to the unit")
    if (total := sum(info.file_size for info in infos)) > bounds.together:
        raise Refused(f"would unpack to {total / 2**20:,.0f} MB, and no more than {bounds.together // 2**20:,} MB are read")
    entries, refused, folders, seen = [], {}, set(), set()
    for info in infos:
        name = _name(info)
        outside = _wrong_path(name)
        if info.is_dir() or (not outside and JUNK.search(name)):
            continue
        above = _above(name)
        if why := outside or _wrong_entry(info, bounds) or ("is there twice" if name in seen else ""):
            refused[name] = why
        elif name in folders or above & seen:
            refused[name] = "is there as a file and as a folder"
        else:
            seen.add(name)
            folders |= above
            entries.append(Entry(name, info.file_size, lambda info=info: _unpacked(archive, info)))
    return Download(entries, refused)


def _above(name):
    """The folders in which a file lies."""
    parts = name.split("/")
    return {"/".join(parts[:end]) for end in range(1, len(parts))}


def _name(info):
    """The path of a file in a zip. Some programs write UTF-8 and do not say so."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _wrong_entry(info, bounds):
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link, and links are not followed"
    if kind not in (0, stat.S_IFREG):
        return "is no file"
    if info.flag_bits & ENCRYPTED:
        return "is locked with a password"
    if info.file_size > bounds.one:
        return f"is larger than {bounds.one // 2**20} MB"
    if info.file_size > SMALL and info.file_size > MOST_RATIO * max(1, info.compress_size):
        return f"unpacks to {info.file_size // max(1, info.compress_size):,} times its size: a zip bomb"
    return ""


def _unpacked(archive, info):
    try:
        with archive.open(info) as file:
            data = file.read(info.file_size + 1)  # ZipExtFile stops at the size that was looked at, and compares the checksum
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise Refused(f"cannot be unpacked: {error}") from None
    return data


# Folders


def _of_folder(top):
    entries, refused, waiting = [], {}, [("", 0)]
    while waiting:
        folder, depth = waiting.pop()
        for found in sorted(os.scandir(top / folder), key=lambda each: each.name):
            name = f"{folder}/{found.name}".lstrip("/")
            if JUNK.search(name):
                continue
            if found.is_symlink():
                refused[name] = "is a link, and links are not followed"
            elif found.is_dir():
                refused.update({name: f"lies more than {DEPTH} folders deep"} if depth >= DEPTH else {})
                waiting += [(name, depth + 1)] if depth < DEPTH else []
            elif not found.is_file():
                refused[name] = "is no file"
            elif why := _wrong_path(name):
                refused[name] = why
            else:
                entries.append(_of_file(unicodedata.normalize("NFC", name), found.path))
            if len(entries) > DOWNLOAD.files:
                raise Refused(f"holds more than {DOWNLOAD.files:,} files, which are not read: is it the right folder?")
    entries.sort(key=lambda each: each.name)
    return Download(entries, refused)


def _of_file(name, place):
    return Entry(name, os.stat(place).st_size, lambda: _bytes(place))


def _bytes(place):
    try:
        with open(os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            data = file.read(DOWNLOAD.one + 1)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    if len(data) > DOWNLOAD.one:
        raise Refused(f"is larger than {DOWNLOAD.one // 2**20} MB")
    return data


def _wrong_path(name):
    """Why a path in something packed is not taken, or ""."""
    parts = name.split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if ".." in parts:
        return "leads out of its folder by .."
    if any(not sign.isprintable() for sign in name) or name.encode("utf-8", "replace").decode() != name:
        return "has a name that cannot be printed"
    if len(parts) > DEPTH + 1:
        return f"lies more than {DEPTH} folders deep"
    long = any(len(part.encode()) > LONGEST for part in parts) or len(name) > LONGEST_PLACE
    return "has a name that is too long" if long else ""
