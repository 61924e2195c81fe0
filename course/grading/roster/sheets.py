"""CSV as spreadsheets and learning management systems write it, and CSV that no spreadsheet takes for a program."""

import csv
import io
import re

MOST = 20 * 2**20
"""Bytes of a table. A class of a thousand has less than one."""
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")
BEGINS_A_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
DEFUSED = re.compile(r"'[=+\-@\t\r\n＝＋－＠]")


class SheetError(Exception):
    """A table cannot be read. The message says why, in words that may follow its name."""


class Sheet:
    """A table as it was read. header: its first row without spaces around, and first, with them; rows: the others; each a list of texts.
    delimiter, bom: how it was written."""

    def __init__(self, rows, delimiter=",", bom=False):
        self.first, self.rows, self.delimiter, self.bom = rows[0], rows[1:], delimiter, bom
        self.header = [name.strip() for name in self.first]


def read(file):
    """The Sheet in a file. Raises SheetError, OSError."""
    with open(file, "rb") as stream:
        data = stream.read(MOST + 1)
    if len(data) > MOST:
        raise SheetError(f"is larger than {MOST // 2**20} MB: is it a table?")
    return parse(data)


def parse(data):
    """The Sheet in bytes: UTF-8 or UTF-16 with or without a mark of order, or else the encoding of Windows; comma, semicolon or tab. Raises SheetError."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise SheetError("is a workbook of a spreadsheet. Save it as CSV")
    text = _decoded(data)
    if "\0" in text:
        raise SheetError("is no text. Save the table as CSV")
    delimiter = _delimiter(text)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SheetError(f"cannot be read as CSV: {error}") from None
    if not rows:
        raise SheetError("is empty")
    return Sheet(rows, delimiter, data.startswith(b"\xef\xbb\xbf"))


def _decoded(data):
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1::2][:50].count(0) > 20:  # UTF-16 without its mark, as some exports of Blackboard
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text):
    """The one that splits the first row into most columns."""
    [first, *_] = text.lstrip("\r\n").splitlines() or [""]
    return max(",;\t", key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))


def written(rows, delimiter=",", bom=False):
    """Rows as bytes of a CSV file in which no text is a formula."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator="\r\n").writerows([defused(cell) for cell in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig" if bom else "utf-8", "replace")


def defused(cell):
    """A cell that a spreadsheet shows and does not run. A number stays one, and so does the lone - that stands for no grade."""
    text = str(cell)
    return f"'{text}" if BEGINS_A_FORMULA.match(text) and text != "-" and not NUMBER.fullmatch(text) else text


def as_meant(cell):
    """A cell of a table of ours without what defusing put before it."""
    return cell[1:] if DEFUSED.match(cell) else cell
