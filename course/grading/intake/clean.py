"""A notebook that somebody else wrote, made harmless to look at: in it nothing executes, fetches, or stands in for a part of the page around it.

Formgrader shows a notebook with the rights of whoever grades. So all that a page renders is taken from lists of what may stay: texts, outputs
(whatever printed them), attachments, metadata. The code in code cells is left alone: a page shows it as text. `markup` has the lists.
"""

import mimetypes
import re

import nbformat

from . import markup, normal

MOST_MARKDOWN = 200_000
"""What a notebook has beyond so many characters of Markdown is shown as it was typed: to render it may take too long."""
IMAGES = (*markup.PICTURES, markup.SVG)
LEFT_OUT = "[Left out here, because a browser would run it or cannot show it: {}]"
NAME = re.compile(r"[a-zA-Z0-9_-]{1,100}")
TAG = re.compile(r"[\w.-]{1,64}")
WORDS = re.compile(r"[\w ()./+-]{1,64}")
PYTHON = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
RUNS = ("html", "xml", "svg", "script", "xsl", "mathml", "flash", "multipart", "message")
"""Words in the types of files that a browser runs, or may take for such."""
SETTINGS = re.compile(r"(?:nbgrader|jupyter\w*|ipython\w*)_config\.(?:py|json)|sitecustomize\.py|usercustomize\.py", re.IGNORECASE)
UNSAFE = re.compile(r'[<>"\\\x00-\x1f\x7f]')


def notebook(nb):
    """Clean a valid notebook, in place. Returns the places of cells whose own text or pictures had something in them that is gone."""
    nb.metadata = nbformat.from_dict(_of_notebook(nb.metadata))
    room = MOST_MARKDOWN
    for cell in nb.cells:
        if cell.cell_type == "markdown" and not markup.AS_TEXT.fullmatch(cell.source) and (room := room - len(cell.source)) < 0:
            cell.source = markup.as_text(cell.source)
    return [number for number, cell in enumerate(nb.cells) if _cell(cell)]


def _of_notebook(metadata):
    kept = {"kernelspec": _kernel(metadata.get("kernelspec")), "language_info": dict(PYTHON)}
    about = metadata.get("hidden_state")
    if isinstance(about, dict):
        kept["hidden_state"] = {key: value for key, value in about.items() if NAME.fullmatch(key) and _is_plain(value)}
    return kept


def _kernel(spec):
    whole = isinstance(spec, dict) and all(isinstance(spec.get(key), str) and WORDS.fullmatch(spec[key]) for key in KERNEL)
    return {key: spec[key] for key in KERNEL} if whole else dict(KERNEL)


def _is_plain(value):
    return value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and re.fullmatch(r"[\w ,.:;()!?'+-]{0,100}", value) is not None)


# Cells


def _cell(cell):
    """Clean one cell. Returns whether anything is gone of its text or its pictures."""
    cell.metadata, cell.source = nbformat.from_dict(_of_cell(cell.metadata)), _text(cell.source)
    if not NAME.fullmatch(str(cell.get("id", "x"))):
        cell.id = re.sub(r"[^a-zA-Z0-9_-]", "-", str(cell.id))[:64] or "cell"
    changed = _attachments(cell)
    if cell.cell_type == "code":
        cell.execution_count = _count(cell)
        cell.outputs = [_output(output) for output in cell.get("outputs", [])]
        return changed
    clean = markup.markdown(cell.source, cell.get("attachments")) if cell.cell_type == "markdown" else markup.raw(cell.source)
    changed |= clean != cell.source
    cell.source = clean
    return changed


def _of_cell(metadata):
    kept = {key: metadata[key] for key in ("deletable", "editable", "collapsed") if isinstance(metadata.get(key), bool)}
    if isinstance(metadata.get("scrolled"), bool) or metadata.get("scrolled") == "auto":
        kept["scrolled"] = metadata["scrolled"]
    if isinstance(metadata.get("tags"), list):
        kept["tags"] = [tag for tag in metadata["tags"] if isinstance(tag, str) and TAG.fullmatch(tag)]
    mark = metadata.get("nbgrader")
    if isinstance(mark, dict) and NAME.fullmatch(str(mark.get("grade_id"))):
        kept["nbgrader"] = {key: _of_mark(key, value) for key, value in mark.items() if key == "comment" or _is_plain(value)}
    return kept


def _of_mark(key, value):
    """A comment is Markdown, whoever wrote it."""
    return markup.markdown(value) if key == "comment" and isinstance(value, str) else value


def _attachments(cell):
    """Keep only pictures. Returns whether anything else was there."""
    found = cell.get("attachments")
    if found is None:
        return False
    kept = {}
    for name, kinds in found.items() if isinstance(found, dict) else ():
        pictures = {kind: data for kind, data in kinds.items() if markup.picture(kind, data)} if isinstance(kinds, dict) else {}
        if pictures:
            kept[name] = pictures
    changed = kept != found
    if kept and cell.cell_type != "code":
        cell.attachments = nbformat.from_dict(kept)
    else:
        del cell["attachments"]
    return changed


# Outputs


def _output(output):
    """The same output, as one that a page may show."""
    kind, make = output.output_type, nbformat.NotebookNode
    if kind == "stream":
        return make(output_type=kind, name="stderr" if output.get("name") == "stderr" else "stdout", text=_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        trace = [_text(line) for line in lines] if isinstance(lines, list) else []
        return make(output_type=kind, ename=_text(output.get("ename")), evalue=_text(output.get("evalue")), traceback=trace)
    data = make(_data(output.get("data") or {}))
    count = {"execution_count": _count(output)} if kind == "execute_result" else {}
    return make(output_type=kind, data=data, metadata=make(_of_output(output.get("metadata"), make)), **count)


def _count(counted):
    count = counted.get("execution_count")
    return count if isinstance(count, int) else None


def _text(value):
    return "".join(map(str, value)) if isinstance(value, list) else str(value) if value is not None else ""


def _data(data):
    """{type: content} of what may stay. What was the only thing to see is named in its place."""
    kept = {}
    for kind, content in data.items():
        clean = _content(kind, content)
        if clean is not None:
            kept[kind] = clean
    if data and not kept:
        kept["text/plain"] = LEFT_OUT.format(", ".join(kind for kind in data if re.fullmatch(r"[\w.+/-]{1,80}", kind)))
    return kept


def _content(kind, content):
    text = _text(content)
    if kind in TEXTS:
        return TEXTS[kind](text)
    if kind == markup.SVG:
        return text if markup.drawing(text) else None
    return re.sub(r"\s", "", text) if kind in markup.PICTURES and markup.picture(kind, text) else None


TEXTS = {"text/plain": str, "text/html": markup.html, "text/markdown": markup.markdown, "text/latex": markup.tex}


def _of_output(metadata, make):
    """Sizes of pictures, as numbers, and the course's own word for a still picture of an explorer."""
    metadata = metadata if isinstance(metadata, dict) else {}
    kept = {"hidden_state": "still"} if metadata.get("hidden_state") == "still" else {}
    for kind in IMAGES:
        about = metadata.get(kind)
        sizes = {key: about[key] for key in ("width", "height") if _is_size(about.get(key))} if isinstance(about, dict) else {}
        if isinstance(about, dict) and about.get("needs_background") in ("light", "dark"):
            sizes["needs_background"] = about["needs_background"]
        if sizes:
            kept[kind] = make(sizes)
    return kept


def _is_size(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 10_000


# Beside the notebook


NOTEBOOKS = "other notebooks"
"""The folder for those that are no lesson: beside the lessons nbgrader would look for their grades."""


def files(found):
    """{path: content} beside a notebook under names that no browser runs and no program of Jupyter's reads as settings: those end in .txt here.

    Formgrader serves autograded/ from its own address, with the rights of whoever grades. A student's other notebooks are cleaned like the lessons,
    and lie in a folder of their own.
    """
    kept, renamed = {}, {}
    for place, data in found.items():
        if place.casefold().endswith(".ipynb"):
            renamed[f"{NOTEBOOKS}/{place}"] = _other_notebook(data)
        elif _runs(place):
            renamed[f"{place}.txt"] = data
        else:
            kept[place] = data
    for name, data in renamed.items():
        while name in kept or name in found:
            name += ".txt"
        kept[name] = data
    return kept


def _other_notebook(data):
    """Such a notebook without its outputs, as it may be opened; or nothing but a sentence."""
    try:
        nb, _ = normal.read(data)
        notebook(nb)
        return nbformat.writes(nb).encode()
    except Exception as error:  # whatever a file that somebody else wrote can do to nbformat
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"This notebook could not be read ({type(error).__name__}).", id="reason")])
        return nbformat.writes(nb).encode()


def _runs(place):
    name = place.rsplit("/", 1)[-1]
    kind = mimetypes.guess_type(name, strict=False)[0] or ""
    by_name = re.search(
        r"\.(?:\w*html?\w*|xht|svgz?|xml|xslt?|m?js|mjs|hta|htc|mht\w*|swf|rdf|xul|wasm|vbs|jar)(?:\.(?:gz|bz2|xz|br|z))?$", name, re.IGNORECASE
    )
    return bool(by_name or SETTINGS.fullmatch(name) or any(word in kind for word in RUNS))


def wrong_id(student):
    """Why a page would read a student's id as more than a name, or "". Formgrader writes it into its pages as it is."""
    return 'its name may not have < > " \\ or a control character in it' if UNSAFE.search(student) else ""
