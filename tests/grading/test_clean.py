"""Cleaning: what executes goes, what is harmless stays as it was written, the course's own outputs look the same, and twice is as good as once."""

import base64
import copy
import html as entities
import itertools
import json
import random
import re
import time

import nbformat
import pytest
from attacks import ALL, as_run
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from support import ROOT

from course.grading.intake import clean, markup
from course.grading.plugins.cleaning import CleanPage, markdown2html
from course.laws import one_page

TWINS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
CANARY = "http://127.0.0.1:9"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(20)).decode()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="3" height="3" style="fill:#123"/></svg>'


def rendered(source):
    """Markdown as nbconvert renders it, with nobody there to clean."""
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(source)


DANGEROUS = re.compile(
    r"<\s*/?\s*(?:script|style|svg|math|iframe|object|embed|form|base|meta|link|template|noscript|video|audio|source|button|select|textarea|xmp|title|body|html)\b"
    r"|<[^>]*\son\w+\s*=|<[^>]*(?:href|src|action|srcset|data)\s*=\s*[\"']?\s*(?:java|vb|data:(?!image/)|files)"
    r"|<[^>]*\ssrc\s*=\s*[\"']?(?:https?:|//)|<[^>]*style=[^>]*(?:url|position|expression|@|\\)",
    re.IGNORECASE,
)


def is_harmless(page):
    """No tag of a cleaned page could run or fetch: asked of the text itself, by other means than the cleaning's."""
    assert not DANGEROUS.search(re.sub(r'(alt|title)="[^"]*"', "", page)), page
    words = re.sub(r"<(pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"\\(?:href|require|class|cssId|style|unicode)(?![a-zA-Z])", entities.unescape(re.sub("<[^>]*>", "", words)))
    return True


# The attacks

PARTS = [payload for _, where, payload in ALL if where in ("markdown", "text/html", "raw")]
FRAMES = [
    "{}",
    "**bold** {} text",
    "> {}",
    "- a\n- {}",
    "| a |\n|---|\n| {} |",
    "<details>\n\n{}\n\n</details>",
    "# {}",
    "<b>{}",
    "$$ {} $$",
    "a\n\n    {}\n",
    "`a` {} `b`",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_attacks_in_markdown(frame):
    """In each of these places: a paragraph, a list, a table, a heading, a formula, …"""
    for part in PARTS:
        source = frame.format(part)
        kept = markup.markdown(source)
        assert is_harmless(rendered(kept)) and is_harmless(markup.page(source)), source
        assert markup.markdown(kept) == kept, source


@pytest.mark.parametrize(
    "frame", ["{}", "<table><tr><td>{}</table>", "<div><p>{}", "<b title='{}'>x</b>", "<pre>{}</pre>", '<img alt="{}">', "<!-- {} -->", "<details>{}</details>"]
)
def test_attacks_in_html(frame):
    for part in PARTS:
        kept = markup.html(frame.format(part))
        assert is_harmless(kept) and markup.html(kept) == kept, frame.format(part)


@pytest.mark.parametrize("attack", ALL, ids=[name for name, _, _ in ALL])
def test_a_notebook_with_an_attack(attack):
    nb = as_run(attack, CANARY)
    clean.notebook(nb)
    nbformat.validate(nb)
    once = copy.deepcopy(nb)
    clean.notebook(nb)
    assert nb == once, "cleaning twice changes nothing"
    assert "<script" not in json.dumps(nb.metadata) + json.dumps([cell.metadata for cell in nb.cells])
    for cell in nb.cells:
        assert cell.cell_type != "markdown" or is_harmless(rendered(cell.source.replace("attachment:a.png", "a.png")))
        for output in cell.get("outputs", []):
            assert set(output.get("data", {})) <= {"text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml"}
            assert is_harmless(output.get("data", {}).get("text/html", ""))
            assert is_harmless(rendered(output.get("data", {}).get("text/markdown", "")))


WORDS = [
    *"<>\"'`$\\&;:/()[]!#*_~|-=\n\t ",
    *("<b>", "</b>", "<a href=", "javascript:", "<!--", "-->", "<pre>", "</pre>", "<table>", "<td>", "&lt;", "&#60;", "&#x3c;script&#62;"),
    *(
        "<script>",
        "</script>",
        "<style>",
        "<svg>",
        "<math>",
        "</div>",
        "<div>",
        " onerror=",
        "x",
        "$$",
        "```",
        "\\href",
        "\\(",
        "\\begin{a}",
        "\\end{a}",
        "](",
        "![",
        "<p",
        "/>",
        "\n\n",
        "    ",
        "> ",
        "- ",
    ),
]


def test_any_soup_of_markup():
    """Thousands of random ones, the same each time."""
    draw = random.Random(7)
    for _ in range(3000):
        soup = "".join(draw.choices(WORDS, k=draw.randint(1, 25)))
        kept, page = markup.markdown(soup), markup.html(soup)
        assert is_harmless(rendered(kept)) and is_harmless(page) and is_harmless(markup.page(soup)), soup
        assert markup.markdown(kept) == kept and markup.html(page) == page and markup.raw(markup.raw(soup)) == markup.raw(soup), soup


STYLES = {
    "position:fixed": None,
    "color:red;position:absolute;top:0": "color:red",
    "background:url(x.png)": None,
    "background:\\75rl(x)": None,
    "width:expression(alert(1))": None,
    "margin:-9px": None,
    "margin:0 -5px": None,
    "margin-left:calc(0px - 99px)": None,
    "padding:900px": None,
    "padding:99vw": None,
    "width:1e9px": None,
    "line-height:0": None,
    "transform:scale(9)": None,
    "z-index:9": None,
    "opacity:0": None,
    "height:0": None,
    "background:image-set('x' 1x)": None,
    "color:var(--x)": None,
    "-moz-binding:url(x)": None,
    "text-align:left": "text-align:left",
    "max-width:100%": "max-width:100%",
    "border:3px double currentColor;padding:1em 2em;max-width:52em": "border:3px double currentColor;padding:1em 2em;max-width:52em",
    "font-size:160%;margin:.2em 0": "font-size:160%;margin:.2em 0",
    "background-color: rgba(1, 2, 3, 0.5); color: #123456": "background-color: rgba(1, 2, 3, 0.5); color: #123456",
    "font-family: 'DejaVu Sans', sans-serif": "font-family: 'DejaVu Sans', sans-serif",
}


@pytest.mark.parametrize("style, kept", STYLES.items())
def test_styles(style, kept):
    assert markup.html(f'<p style="{style}">a</p>') == (f'<p style="{kept}">a</p>' if kept else "<p>a</p>")


LINKS = {
    "https://pytorch.org/docs/stable/nn.html#rnn": True,
    "http://example.org:8080/a?b=c&d=(e)": True,
    "mailto:ada@example.org": True,
    "#Goal": True,
    "04_carry.ipynb": True,
    "../training/07_training_trace.ipynb#Goal": True,
    "javascript:alert(1)": False,
    "JaVaScRiPt:alert(1)": False,
    " javascript:alert(1)": False,
    "java\tscript:alert(1)": False,
    "vbscript:x": False,
    "data:text/html,x": False,
    "files/javascript:alert(1)": False,
    "/formgrader?path=/tmp": False,
    "//evil.example": False,
    "evil.html": False,
    "../../evil.html": False,
    "http://localhost:8888/formgrader": False,
    "http://127.0.0.1/": False,
    "http://[::1]/": False,
    "http://2130706433/": False,
    "http://a@b.example/": False,
    "http://jupyter/": False,
    "http://hub.local/x": False,
    "file:///etc/passwd": False,
    "blob:https://example.org/x": False,
}


@pytest.mark.parametrize("address, stays", LINKS.items())
def test_links(address, stays):
    page = markup.html(f'<a href="{entities.escape(address)}">a</a>')
    assert (entities.unescape(page) == f'<a href="{address}">a</a>') == stays and ("href" in page) == stays
    assert ("href" in rendered(markup.markdown(f"[a](<{address}>)"))) == stays or "\t" in address


def test_names_that_pages_look_for_are_nobody_elses():
    """Formgrader finds its fields by id and its buttons by class."""
    page = markup.html(
        '<form id="submission_id"><p id="check_rnn_step" name="x" class="full-credit nbgrader_cell hidden-state-still" data-toggle="tooltip">a</p></form>'
    )
    assert page == '<p class="hidden-state-still">a</p>'
    assert 'id="' not in rendered(markup.markdown("# check_rnn_step")) and 'id="Goal"' in rendered(markup.markdown("# Goal"))
    assert markup.page("# Goal\n\n[a](#Goal)").count("text-Goal") == 3


# What is harmless

HARMLESS = [
    "a < b and b > c & d, 1<2, x<y",
    "$a<b$ and $$ x & y \\\\ z $$ and \\(c\\) and \\\\(d\\\\)",
    "\\begin{align} a &= b \\\\ c &< d \\end{align}",
    "```html\n<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n```",
    "```python\nif a < b: print('<b>')\n```",
    "~~~\n[x](javascript:alert(1)) \\href{a}\n~~~",
    "    <script>indented</script>",
    "`<script>` and `\\href{x}` and ``[a](javascript:b)``",
    "<https://pytorch.org/docs?a=1&b=2> and https://example.org",
    '[a](https://example.org "title") and [b][c]\n\n[c]: https://example.org/d_(e)',
    "| a | b |\n|:--|--:|\n| 1 | `<b>` |",
    "1. one\n2. two\n   - three\n\n> quoted\n\n---",
    "- [ ] to do\n- [x] done",
    "Term\n: meaning",
    "# Goal\n\n## 2. Look",
    "**bold** _it_ ~~gone~~ H<sub>2</sub>O &copy; &amp; &lt;b&gt;",
    "<details><summary>More</summary>\n\ntext **bold**\n\n</details>",
    "a<br>b<br/>c\n\n<hr />",
    '<p style="text-align:center">middle</p>',
    '<table border="1" class="dataframe"><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>',
    "![The explorer](03_cell_step.png)",
    "Ünïcödé → ∑ 😀 \u202e x",
    "",
    "\n\n",
]


@pytest.mark.parametrize("source", HARMLESS)
def test_harmless_markdown_stays_letter_by_letter(source):
    assert markup.markdown(source) == source


@pytest.mark.parametrize(
    "harmless, attack",
    list(
        itertools.product(["Look: `<script>` and $a<b$.", "| a | b |\n|---|---|\n| 1 | 2 |", "Words, *words*."], ["<script>x</script>", "[a](javascript:b)"]),
    ),
)
def test_beside_an_attack_the_rest_can_still_be_read(harmless, attack):
    def words(page):
        return " ".join(entities.unescape(re.sub("<[^>]*>", " ", page)).split())

    assert words(rendered(harmless)) in words(rendered(markup.markdown(f"{harmless}\n\n{attack}")))


def test_pictures_of_a_cell_stay():
    cell = nbformat.v4.new_markdown_cell(
        "![a](attachment:a.png)", attachments={"a.png": {"image/png": PNG, "text/html": "eA=="}, "b": {"image/png": "eA=="}, "c": {}}
    )
    nb = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell("![a](attachment:gone.png)")])
    clean.notebook(nb)
    assert nb.cells[0].source == "![a](attachment:a.png)" and nb.cells[0].attachments == {"a.png": {"image/png": PNG}}
    assert "attachment" not in nb.cells[1].source, "nbconvert stops at a picture that is not there"


@pytest.mark.parametrize("text", ["two\nlines", "a & b", "plain"])
def test_raw_cells(text):
    assert text in entities.unescape(markup.raw(text)) and markup.raw("plain") == "plain"


# Pictures


def test_drawings():
    assert markup.drawing(SVG)
    for inside in (
        "<script>x</script>",
        "<x:script xmlns:x='http://www.w3.org/2000/svg'>x</x:script>",
        "<foreignObject/>",
        "<a href='javascript:x'/>",
        "<image href='http://a.example/b.png'/>",
        "<use href='data:image/svg+xml;base64,AAAA'/>",
        "<rect onload='x'/>",
        "<rect style='fill:url(http://a.example)'/>",
        "<style>@import 'x';</style>",
        "<style>a{background:u&#114;l(//x)}</style>",
        "<set attributeName='href' to='javascript:x'/>",
        "<p xmlns='http://www.w3.org/1999/xhtml'/>",
        "<rect>",
    ):
        assert not markup.drawing(SVG.replace("<rect", f"{inside}<rect", 1)), inside
    assert not markup.drawing(f'<!DOCTYPE svg [<!ENTITY a "b">]>{SVG}') and not markup.drawing(f'<?xml-stylesheet href="a"?>{SVG}')


def test_a_picture_is_of_the_kind_that_it_says():
    svg = base64.b64encode(SVG.encode()).decode()
    assert markup.picture("image/png", PNG) and markup.picture("image/svg+xml", svg)
    for kind, data in (
        ("image/png", svg),
        ("image/jpeg", PNG),
        ("text/html", PNG),
        ("image/png", f'{PNG}" onerror="x'),
        ("image/png", ["a"]),
        ("image/png", None),
    ):
        assert not markup.picture(kind, data)
    assert 'src="data:' in markup.html(f'<img src="data:image/svg+xml;base64,{svg}">') and "src" not in markup.html(
        '<img src="data:image/svg+xml;base64,PHNjcmlwdD4=">'
    )


# The course's own outputs


def seen(page):
    """What can be seen of HTML: its words and its pictures."""
    page = re.sub(r"<style\b.*?</style>", "", page, flags=re.DOTALL)
    return (
        entities.unescape(re.sub("<[^>]*>", " ", page)).split(),
        re.findall(r'<img alt="([^"]*)" style="([^"]*)" src="([^"]*)"', page),
        re.findall(r'style="[^"]*"', page),
    )


@pytest.mark.parametrize("twin", TWINS, ids=[twin.stem for twin in TWINS])
def test_a_lesson_looks_the_same(twin):
    """Its texts stay letter by letter, its outputs but for the style that hides a "Loading widget" in JupyterLab."""
    before = nbformat.read(twin, as_version=4)
    after = copy.deepcopy(before)
    assert clean.notebook(after) == []
    for one, other in zip(before.cells, after.cells, strict=True):
        assert (one.source, one.metadata) == (other.source, other.metadata)
        for was, now in zip(one.get("outputs", []), other.get("outputs", []), strict=True):
            pages = [output.get("data", {}).pop("text/html", "") for output in (was, now)]
            assert was == now and seen(pages[0]) == seen(pages[1])
    once = copy.deepcopy(after)
    clean.notebook(after)
    assert after == once


def test_the_rule_of_the_page_of_laws():
    """Its own style element goes with the others; where a page is made it comes back."""
    output = nbformat.v4.new_output("display_data", {"text/html": one_page.card()._repr_html_()})
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])
    clean.notebook(nb)
    assert "<style" not in nb.cells[0].outputs[0].data["text/html"]
    for _ in range(2):
        CleanPage().preprocess(nb, {})
        assert nb.cells[0].outputs[0].data["text/html"].count(one_page.STYLE) == 1


def test_a_style_is_kept_in_its_cell():
    nb = as_run(("styled", "text/html", '<p style="color:red">a</p>'), CANARY)
    CleanPage().preprocess(nb, {})
    assert nb.cells[1].outputs[0].data["text/html"].startswith('<div style="contain:layout paint')
    assert markdown2html({}, "**plain**") == markup.page("**plain**")


# Pages, files, names


def test_a_page_is_cleaned_when_it_is_made():
    nb, resources = as_run(ALL[0], CANARY), {"student": "<b>", "last_name": '"', "notebook_path": "a/<b>/c"}
    nb, resources = CleanPage().preprocess(*CleanPage().preprocess(nb, resources))
    assert "<script" not in nb.cells[1].source
    assert "<b>" not in resources["notebook_path"]
    assert (
        "<script" not in markdown2html({}, "<script>x</script>")
        and markdown2html({"cell": {"attachments": {"a": {"image/png": PNG}}}}, "![a](attachment:a)").count(PNG) == 1
    )


def test_a_comment_is_cleaned():
    cell = nbformat.v4.new_markdown_cell("a", metadata={"nbgrader": {"grade_id": "a", "comment": "**good** <script>x</script>", "points": 1}})
    nb = nbformat.v4.new_notebook(cells=[cell])
    clean.notebook(nb)
    assert nb.cells[0].metadata.nbgrader.points == 1 and "<script" not in nb.cells[0].metadata.nbgrader.comment


@pytest.mark.parametrize("mark", [{"grade_id": '"><script>'}, {"grade_id": 3.5}, "x", None])
def test_a_mark_that_is_none_goes(mark):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a", metadata={"nbgrader": mark})])
    clean.notebook(nb)
    assert "nbgrader" not in nb.cells[0].metadata


def test_files_that_a_browser_runs_get_another_name():
    names = "a.html b/c.HTM d.svg e.xhtml f.xml g.js h.svgz i.html.gz j.mht nbgrader_config.py jupyter_server_config.json k.shtml l.hta".split()
    others = "a.txt b.csv c.png d.py e.ipynb.txt f g.npy h.pt i.json j.md k.pdf a.html.txt data.zip".split()
    kept = clean.files({name: name for name in [*names, *others]})
    assert sorted(kept.values()) == sorted([*names, *others]) and all(kept[name] == name for name in others)
    assert not set(names) & set(kept) and kept["a.html.txt.txt"] == "a.html"


def test_names_of_students():
    for name in ("ada", "O'Brien", "ada@example.org", "ada [1]", "Ünal, Ada"):
        assert clean.wrong_id(name) == ""
    for name in ("<img src=x>", 'a"b', "a\\b", "a\nb"):
        assert "may not have < >" in clean.wrong_id(name)


def test_any_text_within_a_sentence():
    for text in ("03_cell_step (1).ipynb", "<img src=x onerror=alert(1)>.ipynb", "[a](javascript:b).ipynb", "`a` *b* $c$ # & &lt;"):
        assert (
            entities.unescape(re.sub("<[^>]*>", "", rendered(f"**Not graded.** There is {markup.in_words(text)}."))).strip() == f"Not graded. There is {text}."
        )


# Time

LONG = [
    "[",
    "*",
    "`",
    "<",
    "> ",
    "<div>",
    "<b a=1><p>",
    "$",
    "$$ ",
    "[a](",
    "![[",
    "|a",
    "\\begin{a}",
    "\\\\[",
    "<!--",
    '<a href="',
    "&",
    "- ",
    "**a ",
    "a\n: b\n\n",
]


@pytest.mark.parametrize("part", LONG)
def test_no_text_takes_long(part):
    for size in (6_000, 20_000, 1_000_000):
        began, text = time.process_time(), part * (size // len(part))
        markup.markdown(text), markup.html(text)
        assert time.process_time() - began < 6


def test_a_lesson_takes_little_time():
    """The second of a class on: what is the lesson's own is known by then."""
    nb = nbformat.read(ROOT / "solutions" / "pipeline" / "03_cell_step.ipynb", as_version=4)
    clean.notebook(copy.deepcopy(nb))
    began = time.process_time()
    for _ in range(5):
        clean.notebook(copy.deepcopy(nb))
    assert (time.process_time() - began) / 5 < 0.1
