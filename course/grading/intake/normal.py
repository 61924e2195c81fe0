"""The pass before anything else reads a notebook: whatever tool has saved it, a valid notebook of the newest format comes out.

What is not there is filled in, what has no place in a notebook goes, and what the student wrote stays. nbformat does what it can do itself:
it brings older formats up to date, and it has the last word on what is valid.
"""

import json
import re
from collections import Counter
from functools import partial
from urllib.parse import unquote

import nbformat
import numpy
from nbformat.v4.convert import upgrade

from .markup import in_words

VALID_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MOST_CELLS = 1000
MOST_PARTS, MOST_DEPTH = 2_000_000, 200
"""Of the file as it is: values in its JSON, and brackets in each other."""
KEPT_PARTS, KEPT_DEPTH, KEPT_BYTES = 100_000, 50, 10 * 2**20
"""The same without the outputs, which are made anew, and without the lines of sources. nbformat takes some thousand bytes for a value."""
NO_SIGNS = bytes(sorted({*range(256)} - {*b'"[]{},'}))
"""All bytes but those that give a JSON text its shape."""
OF_A_CELL = {"cell_type", "id", "metadata", "source", "attachments", "outputs", "execution_count"}
OF_OLD_CODE = {"language": "python", "collapsed": False}
BOOLEANS, DROPPED = ("collapsed", "deletable", "editable"), ("jupyter", "execution", "name", "format")
"""Keys in a cell's metadata that nbformat knows: those that must be true or false, and those that nothing here reads."""
PICTURE = re.compile(
    r"""!\[([^\]\n]*)\]\(\s*(?:<attachment:([^>\n]+)>|attachment:([^)\s]+))[^)\n]*\)|<img\b[^>]*?\bsrc\s*=\s*["']?attachment:([^"'>\s]+)[^>]*>""", re.IGNORECASE
)
"""A picture that comes with its cell, in Markdown and in HTML."""


class Unreadable(Exception):
    """A file that cannot be graded. The message says why, in words that may follow its name."""


def read(data):
    """(a valid notebook of the newest format, sentences on what was put right) from the bytes of a file. Raises Unreadable, or anything that nbformat raises."""
    raw = load(data)
    notes = filled(raw)
    try:
        notebook = nbformat.reader.reads(json.dumps(raw, ensure_ascii=False))
    except nbformat.NBFormatError as error:
        raise Unreadable(f"has another notebook format than those known here ({error}). Save it in format {nbformat.current_nbformat}") from None
    notebook = upgrade(nbformat.convert(notebook, 4))
    if len(notebook.cells) > MOST_CELLS:
        raise Unreadable(f"has more than {MOST_CELLS} cells")
    _number(notebook)
    _drop_odd_marks(notebook)
    nbformat.validate(notebook, relax_add_props=True)
    return notebook, notes + _pictures(notebook)


# The file


def load(data):
    """The JSON of a notebook file without its outputs, no larger than may be. Raises Unreadable."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("is not text in UTF-8, as every notebook is") from None
    try:
        _check_shape(data, MOST_PARTS, MOST_DEPTH)
        return _slim(json.loads(text))
    except json.JSONDecodeError:
        raise Unreadable("is empty" if not text.strip() else "is not JSON: the file is damaged or cut off") from None


def _check_shape(data, most, depth):
    """Look at the bytes of a JSON text, before anything is made of them. Raises Unreadable where there is too much in it."""
    values, brackets = shape_of(data)
    if brackets > depth:
        raise Unreadable(f"holds brackets in more than {depth} others")
    if values > most:
        raise Unreadable(f"holds more than {most} values")


def shape_of(data):
    """(how many values, at most, how many brackets in each other) of a JSON text in bytes: what stands in its strings does not count."""
    signs = numpy.frombuffer(data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, NO_SIGNS) + b",", numpy.uint8)
    outside = numpy.bitwise_xor.accumulate((signs == ord('"')).view(numpy.uint8)) == 0
    opening = ((signs == ord("[")) | (signs == ord("{"))) & outside
    closing = ((signs == ord("]")) | (signs == ord("}"))) & outside
    values = int(opening.sum()) + int(((signs == ord(",")) & outside).sum())
    kinds = opening[opening | closing][: MOST_PARTS * 2]  # of the brackets alone, in their order
    return values, int(numpy.cumsum(numpy.where(kinds, 1, -1)).max(initial=0))


def _slim(notebook):
    """The same without its outputs, and without half characters: "\\ud800" can be read, but nobody can write it down again."""
    for cell in cells_of(notebook):
        if isinstance(cell.get("outputs"), list):
            cell["outputs"] = []
        for name in ("source", "input"):
            if isinstance(cell.get(name), list) and all(isinstance(line, str) for line in cell[name]):
                cell[name] = "".join(cell[name])
    data = json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
    if len(data) > KEPT_BYTES:
        raise Unreadable(f"is larger than {KEPT_BYTES // 2**20} MB without its outputs")
    _check_shape(data, KEPT_PARTS, KEPT_DEPTH)
    return json.loads(data)


def cells_of(notebook):
    """The cells of anything that may be a notebook, of format 4 or of an older one."""
    sheets = notebook.get("worksheets") if isinstance(notebook, dict) else None
    for sheet in [notebook, *(sheets if isinstance(sheets, list) else [])]:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        yield from (cell for cell in (cells if isinstance(cells, list) else []) if isinstance(cell, dict))


# What is filled in


def filled(raw):
    """Give a notebook's JSON what every notebook has, in place. Returns sentences on what was put right. Raises Unreadable where there is nothing to begin with."""
    sheets = _sheets(raw)
    missing = Counter()
    _of_notebook(raw, missing)
    for sheet in sheets:
        missing["a cell that is none"] += sum(not isinstance(cell, dict) for cell in sheet["cells"])
        sheet["cells"] = [cell for cell in sheet["cells"] if isinstance(cell, dict)]
        for cell in sheet["cells"]:
            (_of_cell if raw["nbformat"] == 4 else _of_old_cell)(cell, missing)
    told = ", ".join(f"{what} ({number} times)" if number > 1 else what for what, number in missing.items() if number)
    return [f"It was not saved as a notebook should be, and this was put right: {told}"] if told else []


def _sheets(raw):
    """The parts of a notebook that have cells. Raises Unreadable where it has none."""
    old = isinstance(raw, dict) and isinstance(raw.get("worksheets"), list)
    sheets = [sheet for sheet in (raw["worksheets"] if old else [raw]) if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
    if not sheets:
        raise Unreadable("cannot be read as a notebook: it holds no list of cells")
    return sheets


def _of_notebook(raw, missing):
    old = "cells" not in raw
    for name, usual in (("nbformat", 3 if old else 4), ("nbformat_minor", 0)):
        if isinstance(raw.get(name), str) and raw[name].isdecimal():
            raw[name] = int(raw[name])
        if not isinstance(raw.get(name), int) or isinstance(raw.get(name), bool):
            missing[f"no {name}"] += name == "nbformat"
            raw[name] = usual
    raw["nbformat_minor"] = min(max(raw["nbformat_minor"], 0), nbformat.current_nbformat_minor)
    metadata = raw.get("metadata")
    missing["no metadata of the notebook"] += not isinstance(metadata, dict)
    about = metadata.get("hidden_state") if isinstance(metadata, dict) else None
    raw["metadata"] = {"hidden_state": about} if isinstance(about, dict) else {}  # all else is set anew: see OverwriteKernelspec and clean


def _of_cell(cell, missing):
    kind = cell.get("cell_type")
    if kind not in ("code", "markdown", "raw"):
        missing[f"a cell of the type {kind if isinstance(kind, str) and kind.isidentifier() else 'none'}"] += 1
        cell["cell_type"] = "code" if kind is None and ("outputs" in cell or "execution_count" in cell) else "markdown"
    if not isinstance(cell.get("metadata"), dict):
        missing["a cell without metadata"] += 1
        cell["metadata"] = {}
    if not isinstance(cell.get("source"), str):
        missing["a cell without source"] += 1
        cell["source"] = _joined(cell.get("source", cell.get("input")))
    _of_metadata(cell)
    if cell["cell_type"] == "code":
        missing["a cell without outputs"] += not isinstance(cell.get("outputs"), list)
        missing["a cell without execution_count"] += "execution_count" not in cell
        count = cell.get("execution_count")
        cell["outputs"], cell["execution_count"] = [], count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
    allowed = OF_A_CELL - ({"attachments"} if cell["cell_type"] == "code" else {"outputs", "execution_count"})
    for name in [name for name in cell if name not in allowed]:
        del cell[name]


def _joined(text):
    return text if isinstance(text, str) else "".join(map(str, text)) if isinstance(text, list) else ""


def _of_metadata(cell):
    """Keep nothing in a cell's metadata, and no attachment, that nbformat would refuse."""
    metadata = cell["metadata"]
    if "attachments" not in cell and "attachments" in metadata:
        cell["attachments"] = metadata.pop("attachments")
    for name in [name for name in (*BOOLEANS, *DROPPED, "scrolled") if name in metadata]:
        if name in DROPPED or not (isinstance(metadata[name], bool) or (name == "scrolled" and metadata[name] == "auto")):
            del metadata[name]
    if "tags" in metadata:
        tags = metadata["tags"] if isinstance(metadata["tags"], list) else []
        metadata["tags"] = [*dict.fromkeys(tag for tag in tags if isinstance(tag, str) and "," not in tag)]
    if "attachments" in cell:
        found = cell["attachments"] if isinstance(cell["attachments"], dict) else {}
        cell["attachments"] = {name: kinds for name, kinds in found.items() if isinstance(kinds, dict) and all(map(_is_text, kinds.values()))}


def _is_text(value):
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value))


def _of_old_cell(cell, missing):
    """The same of formats 2 and 3, where a code cell has its text in `input`."""
    kind, text = cell.get("cell_type"), cell.get("input", cell.get("source", ""))
    missing["a cell without metadata"] += not isinstance(cell.setdefault("metadata", {}), dict)
    cell["metadata"] = cell["metadata"] if isinstance(cell["metadata"], dict) else {}
    if kind == "code":
        cell.pop("source", None)
        cell.update({**OF_OLD_CODE, "input": _joined(text), "outputs": [], "prompt_number": None})
        return
    cell["source"] = _joined(text)
    if kind == "heading":
        cell["level"] = cell["level"] if isinstance(cell.get("level"), int) and 0 < cell["level"] < 7 else 1
    elif kind not in ("markdown", "raw", "html"):
        missing["a cell of an unknown type"] += 1
        cell["cell_type"] = "markdown"


def _number(notebook):
    """Every cell has an id of its own, always the same one."""
    seen = set()
    for number, cell in enumerate(notebook.cells):
        mine = cell.get("id")
        if notebook.metadata.get("orig_nbformat_minor", 5) < 5 or not isinstance(mine, str) or not VALID_ID.fullmatch(mine) or mine in seen:
            mine = cell["id"] = next(name for name in (f"cell-{number}{'-' * more}" for more in range(len(seen) + 1)) if name not in seen)
        seen.add(mine)


def _drop_odd_marks(notebook):
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        if not isinstance(mark, dict) or not isinstance(mark.get("grade_id", ""), str):
            del cell.metadata["nbgrader"]


# Pictures that come with a cell


def _pictures(notebook):
    """See that each picture which a text shows from its cell is there, or is named in its place. Returns sentences."""
    everywhere = {name: data for cell in notebook.cells for name, data in cell.get("attachments", {}).items()}
    lost = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and "attachment:" in cell.source and len(cell.source) <= KEPT_BYTES:
            cell.source = PICTURE.sub(partial(_picture, cell, everywhere, lost), cell.source)
    names = ", ".join(dict.fromkeys(lost))
    return [f"A text shows a picture that was not saved in the notebook: {names[:200]}"] if lost else []


def _picture(cell, everywhere, lost, found):
    """A picture's Markdown as it is, where its cell has it or another one does; else words in its place."""
    name = next(filter(None, found.groups()[1:]))
    own = cell.get("attachments", {})
    data = next((place[each] for place in (own, everywhere) for each in (name, unquote(name)) if each in place), None)
    if data is None:
        lost.append(unquote(name))
        return f"*(The picture {in_words(unquote(name)[:100])} was not saved in this notebook.)*"
    if name not in own:
        cell["attachments"] = nbformat.from_dict({**own, name: data})
    return found.group()
