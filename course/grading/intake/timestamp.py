"""When something was handed in, as timestamp.txt says it: a few fixed forms, so that no text takes long to read."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MOST = 64
"""Bytes of a timestamp. nbgrader's own has 30."""
FORM = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)\s?(Z|[+-]\d\d:?\d\d|[A-Za-z][A-Za-z0-9_+/-]{0,39})?)?", re.ASCII)


def normal(data):
    """The bytes of a timestamp as nbgrader writes it itself, in UTC; b"" for an empty one. Raises ValueError where there is no date and time."""
    text = data.decode("ascii").strip() if len(data) <= MOST else ""
    if not text and len(data) <= MOST:
        return b""
    found = FORM.fullmatch(text)
    if not found:
        raise ValueError("no date and time")
    date, clock, zone = found.groups()
    when = datetime.fromisoformat(f"{date}T{_clock(clock or '00:00')}").replace(tzinfo=_zone(zone))
    if not 1970 <= when.year < 9000:
        raise ValueError("no date of a submission")
    return f"{when.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')} UTC".encode()


def _clock(text):
    """With seconds and microseconds: Python 3.10 reads no other."""
    whole, _, part = text.replace(",", ".").partition(".")
    return f"{whole if whole.count(':') == 2 else whole + ':00'}.{part[:6].ljust(6, '0')}"


def _zone(name):
    """Its time zone; UTC where there is none or nobody knows it, as nbgrader has it."""
    if name is None or name in ("Z", "UTC", "GMT"):
        return UTC
    if name[0] in "+-":
        return datetime.strptime(name, "%z").tzinfo
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return UTC
