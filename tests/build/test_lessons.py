"""The lessons keep the promises of the design: sections, budgets, alt text, links, setup, quiz options."""

import ast
import re

import jupytext
import nbformat
import pytest
import yaml
from support import ROOT

PAGES = sorted(ROOT.glob("solutions/*/00_start.md"))
SOURCES = sorted(set(ROOT.glob("solutions/*/*.md")) - set(PAGES))
SECTIONS = ["Goal", "Predict", "Look", "Inspect", "Trace", "Build", "Break", "Quiz", "Remember"]

each_lesson = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def cells(source, kind):
    return [cell for cell in jupytext.read(source, fmt="md:myst").cells if cell.cell_type == kind]


def words(text):
    """The words that are read: an alt text stands in for a picture."""
    return [word for word in re.sub(r"!\[.*?\]\(.*?\)", "", text, flags=re.DOTALL).split() if re.search(r"\w", word)]


def test_there_are_lessons():
    assert len(SOURCES) >= 6


@each_lesson
def test_nine_sections_in_order(source):
    text = "\n\n".join(cell.source for cell in cells(source, "markdown"))
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS


@each_lesson
def test_a_line_of_links_jumps_to_each_section(source):
    first = cells(source, "markdown")[0].source
    assert re.findall(r"\[(\w+)\]\(#(\w+)\)", first) == [(name, name) for name in SECTIONS]


@each_lesson
def test_budgets(source):
    everything = jupytext.read(source, fmt="md:myst").cells
    texts = [_student_view(cell.source) for cell in everything if cell.cell_type == "markdown"]
    assert 25 <= len(everything) <= 40
    assert sum(len(words(text)) for text in texts) <= 1200
    too_long = {text[:40]: len(words(text)) for text in texts if len(words(text)) > 90}
    assert not too_long
    student_lines = {c.source[:40]: len(_student_view(c.source).splitlines()) for c in everything if c.cell_type == "code"}
    assert max(student_lines.values()) <= 20, student_lines


def _student_view(code):
    code = re.sub(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS\n?", "", code, flags=re.DOTALL)
    code = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "# your answer here", code, flags=re.DOTALL)
    return code


@each_lesson
def test_setup_is_one_cell_with_one_import(source):
    code = [_student_view(cell.source) for cell in cells(source, "code")]
    with_imports = [text for text in code if re.search(r"^\s*(import|from)\b", text, re.MULTILINE)]
    assert with_imports == code[:1]
    assert len(ast.parse(code[0]).body) == 1


@each_lesson
def test_code_fits_beside_an_open_file_browser(source):
    long = [line for cell in cells(source, "code") for line in _student_view(cell.source).splitlines() if len(line) > 88]
    assert not long


@each_lesson
def test_minutes_and_title_are_given(source):
    header = jupytext.read(source, fmt="md:myst").metadata.hidden_state
    assert 15 <= header["minutes"] <= 50
    assert header["title"]


@each_lesson
def test_nothing_is_called_simple(source):
    text = " ".join(cell.source for cell in cells(source, "markdown")).lower()
    assert not re.search(r"\b(simply|easy|easily|just|obvious|obviously|trivial)\b", text)


@each_lesson
def test_links_lead_somewhere(source):
    text = "\n".join(cell.source for cell in cells(source, "markdown"))
    files = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert all((source.parent / target).exists() for target in files), files


@each_lesson
def test_pictures_have_alt_text(source):
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    shown = [o.data["text/html"] for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "text/html" in o.get("data", {})]
    images = [image for html in shown for image in re.findall(r"<img [^>]*>", html)]
    assert len(images) >= 2
    assert all(re.search(r'alt="[^"]{30,}"', image) for image in images)
    bare = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "image/png" in o.get("data", {})]
    assert not bare


def answers(source):
    """What the quiz.yml of a lesson's unit answers of it."""
    return yaml.safe_load((source.parent / "quiz.yml").read_text(encoding="utf-8"))[source.stem]


def options(text):
    return re.findall(r"^- \*\*([A-Z])\*\*", text, re.MULTILINE)


def is_choice(question):
    return question.get("kind", "letter") == "letter"


@each_lesson
def test_questions_offer_the_options_that_are_explained(source):
    text = "\n".join(cell.source for cell in cells(source, "markdown"))
    asked = {int(number): options(body) for number, body in re.findall(r"\*\*Question (\d+)\.\*\*(.*?)(?=\*\*Question|\Z)", text, re.DOTALL)}
    asked["predict"] = options(re.search(r"^## Predict$(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1])
    assert len(asked) >= 3
    assert asked == {place: list(question["why"]) if is_choice(question) else [] for place, question in answers(source).items() if "look" not in str(place)}


@each_lesson
def test_a_guess_is_sealed_and_likely_ones_are_answered(source):
    """The answer stands nowhere on the page that a student gets before the guess: neither in the cell nor in the text before it."""
    predict = answers(source)["predict"]
    assert len(predict["why"] if is_choice(predict) else predict["wrong"]) >= 4
    assert "otherwise" not in predict, "it would lie in the clear"
    before = []
    for cell in jupytext.read(source, fmt="md:myst").cells:
        before.append(_student_view(cell.source))
        if "reveal(" in cell.source:
            break
    assert before[-1].count("reveal(") == 1 and re.search(r"reveal\(\"\w+\", my_guess(, [\w.(), =]+)?\)", before[-1])
    if not is_choice(predict):
        assert str(predict["answer"]) not in before[-1] and predict["why"] not in "".join(before)


@each_lesson
def test_every_lesson_has_something_to_play_with(source):
    """A number or a line marked `# play`, and before it a question about what the reader expects."""
    found, text = [], ""
    for cell in jupytext.read(source, fmt="md:myst").cells:
        if cell.cell_type == "markdown":
            text = cell.source
        elif "# play" in cell.source:
            found.append(text)
    assert len(found) >= 1
    whole = "\n".join(cell.source for cell in cells(source, "markdown"))
    assert re.search(r"\*\*Play\.\*\*[^\n]*\?", whole)


@each_lesson
def test_questions_are_answered_somewhere(source):
    """Inspect asks, and the reader learns whether they were right: by look(...) or in a fold."""
    text = "\n".join(cell.source for cell in jupytext.read(source, fmt="md:myst").cells)
    inspect = re.search(r"^## Inspect$(.*?)^## Trace$", text, re.MULTILINE | re.DOTALL)[1]
    assert "look(" in inspect or "<details>" in inspect
    folds = re.findall(r"<details><summary>(.*?)</summary>(.*?)</details>", text)
    assert text.count("<details>") == text.count("</details>") == len(folds)
    assert all(len(words(body)) >= 10 for _, body in folds)


@each_lesson
def test_build_and_break_have_hints_and_a_discussion(source):
    code = [cell.source for cell in cells(source, "code")]
    checked = [re.match(r'check\("(\w+)"', cell)[1] for cell in code if cell.startswith("check(")]
    assert all(any(f'# hint("{name}")' in cell and f'# discuss("{name}")' in cell for cell in code) for name in checked)


def test_the_right_letters_are_spread():
    questions = [q for f in ROOT.glob("solutions/*/quiz.yml") for lesson in yaml.safe_load(f.read_text()).values() for q in lesson.values()]
    letters = [question["answer"] for question in questions if "kind" not in question]
    assert max(letters.count(letter) for letter in "ABCD") <= len(letters) / 2
    assert set(letters) == set("ABCD")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.parent.name)
def test_a_units_page_lists_its_lessons_with_their_titles_and_minutes(page):
    text = "\n".join(cell.source for cell in cells(page, "markdown"))
    rows = re.findall(r"^\| \[(\d) · (.+?)\]\((\w+)\.ipynb\) \| .+ \| (\d+) \|$", text, re.MULTILINE)
    lessons = [source for source in SOURCES if source.parent == page.parent]
    headers = [jupytext.read(source, fmt="md:myst").metadata.hidden_state for source in lessons]
    assert rows == [(source.stem[1], about["title"], source.stem, str(about["minutes"])) for source, about in zip(lessons, headers)]
    assert lessons and f"({lessons[0].stem}.ipynb)." in text and f'my_unit("{page.parent.name}")' in page.read_text(encoding="utf-8")


def test_every_unit_has_a_page():
    assert {page.parent for page in PAGES} == {source.parent for source in SOURCES}
