"""Reading a download: a zip, a folder or a file, within bounds, and nothing that leads out of it. Nothing is unpacked to the disk here."""

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

MOST_FILES = 10_000
MOST_BYTES, MOST_OF_ONE = 4 * 2**30, 200 * 2**20
"""Of all files of a download together, and of one."""
MOST_RATIO, SMALL = 200, 2**20
"""How many times larger than packed a file may be. Below SMALL bytes nobody minds."""
DEPTH = 12
"""Folders in folders."""
JUNK = re.compile(r"(^|/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(/|$)", re.IGNORECASE)
OTHERS = (".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
ENCRYPTED = 0x1


class Refused(Exception):
    """A download, or a file in one, is not taken. The message says why, in words that may follow its name."""


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
    """The Download at a place, open while inside. Raises Refused."""
    place = Path(place)
    try:
        if not place.exists():
            raise Refused("is not there")
        if place.is_dir():
            yield _of_folder(place)
        elif zipfile.is_zipfile(place):
            with zipfile.ZipFile(place) as archive:
                yield of_zip(archive)
        elif place.name.casefold().endswith(OTHERS):
            raise Refused("is packed in a way that is not read here. Unpack it, and collect the folder")
        elif place.name.casefold().endswith(".zip"):
            raise Refused("is no zip, or a damaged one. Download it again")
        else:
            yield Download([_of_file(place.name, place)], {})
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror or error}") from None
    except zipfile.BadZipFile as error:
        raise Refused(f"is a damaged zip ({error}). Download it again") from None


def inside(entry):
    """The Download in an Entry that is a zip itself, as a student hands one in. A zip in that one is refused. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(entry.read())) as archive:
            found = of_zip(archive)
            files = {each.name: each.read for each in found.entries}
            nested = {name: "is a zip in a zip. Unpack it and hand in the files" for name in files if name.casefold().endswith(".zip")}
            read, room = [], MOST_OF_ONE
            for each in found.entries:
                if each.name in nested:
                    continue
                data = each.read()
                room -= len(data)
                if room < 0:
                    raise Refused(f"unpacks to more than {MOST_OF_ONE // 2**20} MB")
                read.append(Entry(each.name, len(data), lambda data=data: data))
            return Download(read, {**found.refused, **nested})
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise Refused(f"is no zip that can be read: {error}") from None


# Zips


def of_zip(archive):
    """The Download in an open ZipFile. Raises Refused for what makes the whole of it unreadable."""
    infos = archive.infolist()
    if len(infos) > MOST_FILES:
        raise Refused(f"holds {len(infos):,} files. More than {MOST_FILES:,} are not read: is it the right download?")
    if (total := sum(info.file_size for info in infos)) > MOST_BYTES:
        raise Refused(f"would unpack to {total / 2**30:.1f} GB. More than {MOST_BYTES // 2**30} GB are not read")
    entries, refused, seen = [], {}, set()
    for info in infos:
        name = _name(info)
        outside = _wrong_path(name)
        if info.is_dir() or (not outside and JUNK.search(name)):
            continue
        if why := outside or _wrong_entry(info) or ("is there twice" if name in seen else ""):
            refused[name] = why
        else:
            seen.add(name)
            entries.append(Entry(name, info.file_size, lambda info=info: _unpacked(archive, info)))
    return Download(entries, refused)


def _name(info):
    """The path of a file in a zip. Some programs write UTF-8 and do not say so."""
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _wrong_entry(info):
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a link, and links are not followed"
    if kind not in (0, stat.S_IFREG):
        return "is no file"
    if info.flag_bits & ENCRYPTED:
        return "is locked with a password"
    if info.file_size > MOST_OF_ONE:
        return f"is larger than {MOST_OF_ONE // 2**20} MB"
    if info.file_size > SMALL and info.file_size > MOST_RATIO * max(1, info.compress_size):
        return f"unpacks to {info.file_size // max(1, info.compress_size):,} times its size: a zip bomb"
    return ""


def _unpacked(archive, info):
    try:
        with archive.open(info) as file:
            data = file.read(info.file_size + 1)  # ZipExtFile stops at the size that was looked at, and compares the checksum
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
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
            if len(entries) > MOST_FILES:
                raise Refused(f"holds more than {MOST_FILES:,} files, which are not read: is it the right folder?")
    entries.sort(key=lambda each: each.name)
    return Download(entries, refused)


def _of_file(name, place):
    return Entry(name, os.stat(place).st_size, lambda: _bytes(place))


def _bytes(place):
    try:
        with open(os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            data = file.read(MOST_OF_ONE + 1)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    if len(data) > MOST_OF_ONE:
        raise Refused(f"is larger than {MOST_OF_ONE // 2**20} MB")
    return data


def _wrong_path(name):
    """Why a path in a download is not taken, or ""."""
    parts = name.split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if ".." in parts:
        return "leads out of the download by .."
    if any(not sign.isprintable() for sign in name) or name.encode("utf-8", "replace").decode() != name:
        return "has a name that cannot be printed"
    if len(parts) > DEPTH + 1:
        return f"lies more than {DEPTH} folders deep"
    return "has a name that is too long" if any(len(part.encode()) > 240 for part in parts) else ""
