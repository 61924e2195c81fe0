"""The build: what is made from the sources fits them, is the same each time, gives nothing away and takes nothing away."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from support import ROOT, copy_course, nbgrader, read, run, sanitised, source
from waiting import LONG

from course import build
from course.build import registers, release, sources, stage
from course.grading.plugins import changed as keep

RELEASED = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
TWINS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
LESSONS = [twin for twin in TWINS if twin.stem != sources.UNIT_PAGE]
REMEDY = "run `make notebooks`"


# What is in the repository is what the sources give


def made(root):
    """{place: file} of all that the build makes."""
    patterns = (
        "course/learner/lessons.json",
        "course/learner/quiz.json",
        "course/learner/discussions.json",
        "README.md",
        "solutions/*/*.ipynb",
        "notebooks/*/*.ipynb",
        "notebooks/*/*.png",
    )
    return {str(file.relative_to(root)): file for pattern in patterns for file in root.glob(pattern)}


def test_generated_files_match_their_sources(rebuilt):
    here, there = made(ROOT), made(rebuilt)
    assert set(here) == set(there), REMEDY
    for place, file in here.items():
        if file.suffix == ".png":
            assert file.read_bytes() == there[place].read_bytes(), f"{place} does not fit its source: {REMEDY}"
            continue
        ours, fresh = (path.read_text(encoding="utf-8") for path in (file, there[place]))
        if place.startswith("solutions"):  # the only ones with outputs, and so with pictures
            ours, fresh = sanitised(ours), sanitised(fresh)
        assert ours == fresh, f"{place} does not fit its source: {REMEDY}"


def test_the_readme_lists_the_lessons():
    table = registers.lesson_table(registers.describe(sources.read_lessons(ROOT)))
    assert table in (ROOT / "README.md").read_text(encoding="utf-8"), REMEDY
    assert table.count("\n") == 1 + len(LESSONS)


def test_every_lesson_is_worth_points():
    for entries in registers.describe(sources.read_lessons(ROOT)).values():
        for entry in entries:
            kinds = [item["kind"] for item in entry["items"]]
            if entry["lesson"] == "09_model_quiz":
                assert kinds.count("quiz") >= 8 and kinds.count("text") == 1
            else:
                assert kinds.count("check") >= 2 and kinds.count("quiz") >= 2, entry["lesson"]
            assert all(item["section"] in ("Build", "Break", "Quiz") for item in entry["items"]), entry["lesson"]


# Students' notebooks give nothing away


@pytest.mark.parametrize("notebook", RELEASED, ids=lambda path: path.stem)
def test_a_released_notebook_holds_no_answers_and_no_outputs(notebook):
    content = read(notebook)
    text = notebook.read_text(encoding="utf-8")
    assert "widgets" not in content["metadata"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in content["cells"])
    for secret in ("HIDDEN TESTS", "hidden_check", "hidden_quiz", "BEGIN SOLUTION", "course.grading"):
        assert secret not in text
    assert keep.is_untouched(notebook, "release")
    graded = [cell for cell in content["cells"] if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("grade")]
    assert bool(graded) == (notebook.stem != sources.UNIT_PAGE) and all("raises-exception" in cell["metadata"]["tags"] for cell in graded)


@pytest.fixture(scope="module")
def blank_runs():
    """Every released notebook, run from top to bottom as it is."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(RELEASED, pool.map(_run_all, RELEASED)))


def _run_all(notebook):
    content = nbformat.read(notebook, as_version=4)
    client = NotebookClient(content, timeout=LONG, allow_errors=True, extra_arguments=["--log-level=ERROR"], resources={"metadata": {"path": notebook.parent}})
    client.execute()
    return content


@pytest.mark.parametrize("notebook", RELEASED, ids=lambda path: path.stem)
def test_a_blank_notebook_says_nothing_but_not_attempted_yet(notebook, blank_runs):
    outputs = [(cell, output) for cell in blank_runs[notebook].cells for output in cell.get("outputs", [])]
    for cell, output in outputs:
        assert output.get("name") != "stderr", (cell.source, output.text)
        if output.output_type == "error":
            assert "not attempted yet" in output.evalue, (cell.source, output.evalue)
    errors = [output for _, output in outputs if output.output_type == "error"]
    graded = [cell for cell in blank_runs[notebook].cells if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")]
    assert len(errors) == len(graded)


# A rebuild takes nothing from a learner


def generate_with_make(root):
    said = []
    release.make_release(root, "pipeline", said.append)
    return "\n".join(said)


def generate_with_nbgrader(root):
    return nbgrader(root, "generate_assignment", "pipeline", "--force")


def generate_with_formgrader(root):
    config = release._nbgrader_config(root)
    result = NbGraderAPI(CourseDirectory(config=config), config=config).generate_assignment("pipeline", force=True)
    assert result["success"], result
    return result["log"]


@pytest.fixture
def released(tmp_path):
    """A course whose unit is released, and whose learner has worked on the first lesson and made a notebook of their own."""
    root = copy_course(tmp_path)
    release.make_release(root, "pipeline")
    folder = root / "notebooks" / "pipeline"
    first, second = sorted(folder.glob("*.ipynb"))[:2]
    content = read(first)
    content["cells"].append({"cell_type": "code", "id": "mine", "metadata": {}, "source": "my_own = 1", "outputs": [], "execution_count": 7})
    first.write_text(json.dumps(content))
    (folder / "scratch.ipynb").write_text(json.dumps(content))
    (folder / "notes.txt").write_text("what I have understood")
    return root, folder, first, second


@pytest.mark.parametrize("generate", [generate_with_make, generate_with_nbgrader])
def test_the_state_of_widgets_is_not_released(tmp_path, generate):
    """An instructor's saved solution holds what its sliders showed; nbgrader itself would release it."""
    root = copy_course(tmp_path)
    twin = root / "solutions" / "pipeline" / "03_cell_step.ipynb"
    content = read(twin)
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"1": "the solution, rendered"}}}
    twin.write_text(json.dumps(content))
    generate(root)
    assert "rendered" not in (root / "notebooks" / "pipeline" / twin.name).read_text()


@pytest.mark.parametrize("generate", [generate_with_make, generate_with_nbgrader, generate_with_formgrader])
def test_changed_work_stays_and_the_rest_is_new(released, generate):
    root, folder, first, second = released
    before = {file: file.read_bytes() for file in (first, folder / "scratch.ipynb", folder / "notes.txt")}
    ran = read(second)
    ran["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "it ran"}]
    second.write_text(json.dumps(ran))

    said = generate(root)

    assert all(file.read_bytes() == data for file, data in before.items())
    assert keep.is_untouched(second, "release") and not read(second)["cells"][-1]["outputs"]
    assert f"kept notebooks/pipeline/{first.name}, because you have changed it" in said and "rename or delete it" in said
    assert said.count("kept") == 1
    assert not [path for path in folder.parent.iterdir() if path != folder]


def test_changed_work_survives_a_release_that_fails(released):
    root, folder, first, _ = released
    before = first.read_bytes()
    (root / "solutions" / "pipeline" / "zz.ipynb").write_text("this is no notebook")
    with pytest.raises(sources.BuildError):
        release.make_release(root, "pipeline", lambda line: None)
    assert first.read_bytes() == before and (folder / "notes.txt").exists()


def test_changed_work_survives_a_release_that_was_killed(released):
    root, folder, first, _ = released
    before = first.read_bytes()
    aside = folder.with_name(".pipeline.kept")
    aside.mkdir()
    first.replace(aside / first.name)  # so it stands in the midst of a release
    release.make_release(root, "pipeline", lambda line: None)
    assert first.read_bytes() == before and not aside.exists()

    aside.mkdir()
    (aside / first.name).write_text("older work")
    release.make_release(root, "pipeline", lambda line: None)
    assert first.read_bytes() == before
    assert (folder / f"{first.stem}.kept-1.ipynb").read_text() == "older work"


def test_a_deleted_notebook_comes_back_new(released):
    root, _, first, _ = released
    first.unlink()
    release.make_release(root, "pipeline")
    assert keep.is_untouched(first, "release")


# One small lesson, to try the build itself

TINY = """---
kernelspec: {name: python3, display_name: Python 3 (ipykernel), language: python}
hidden_state: {title: A tiny lesson, minutes: 5}
---

# Tiny

```{code-cell}
from course import quiz
```

## Quiz

```{code-cell}
---
nbgrader: {grade: false, grade_id: answer_1, locked: false, schema_version: 3, solution: true, task: false}
---
answer_1 = None
### BEGIN SOLUTION
answer_1 = "B"
### END SOLUTION
```

```{code-cell}
---
nbgrader: {grade: true, grade_id: quiz_1, locked: true, points: 2, schema_version: 3, solution: false, task: false}
---
quiz("01_tiny", 1, answer_1)
### BEGIN HIDDEN TESTS
from course.grading import hidden_quiz
hidden_quiz("01_tiny", 1, answer_1)
### END HIDDEN TESTS
```
"""
TINY_QUIZ = "01_tiny: {1: {answer: B, why: {A: not quite, B: just so}}}"


@pytest.fixture
def tiny(tmp_path):
    """A course with one small lesson."""
    (tmp_path / "solutions" / "pipeline").mkdir(parents=True)
    (tmp_path / "solutions" / "pipeline" / "01_tiny.md").write_text(TINY)
    (tmp_path / "solutions" / "pipeline" / "quiz.yml").write_text(TINY_QUIZ)
    (tmp_path / "README.md").write_text("Above\n<!-- lessons -->\nold\n<!-- /lessons -->\nbelow\n")
    shutil.copytree(ROOT / "course", tmp_path / "course", ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return tmp_path


def test_a_second_rebuild_changes_nothing(tiny):
    said = []
    build.rebuild(tiny, said.append)
    first = {place: (file.read_bytes(), file.stat().st_mtime_ns) for place, file in made(tiny).items()}
    build.rebuild(tiny, said.append)
    again = {place: (file.read_bytes(), file.stat().st_mtime_ns) for place, file in made(tiny).items()}
    assert said == ["pipeline/01_tiny: 5 cells ran, written", "pipeline/01_tiny: 5 cells ran, unchanged"]
    assert {place: data for place, (data, _) in first.items()} == {place: data for place, (data, _) in again.items()}
    assert all(first[place] == again[place] for place in first if not place.startswith("notebooks"))
    assert "| [1 · A tiny lesson](notebooks/pipeline/01_tiny.ipynb) | a quiz | 5 | 2 |" in (tiny / "README.md").read_text()
    twin = read(tiny / "solutions" / "pipeline" / "01_tiny.ipynb")
    assert [cell["id"] for cell in twin["cells"]] == ["01_tiny-01", "01_tiny-02", "01_tiny-03", "answer_1", "quiz_1"]
    assert "version" not in twin["metadata"]["language_info"] and "jupytext" not in twin["metadata"]
    student = read(tiny / "notebooks" / "pipeline" / "01_tiny.ipynb")
    assert source(student["cells"][3]) == "answer_1 = None\n# your answer here"


def stops(root, *words):
    with pytest.raises(sources.BuildError) as stopped:
        build.rebuild(root, lambda line: None)
    assert all(word in str(stopped.value) for word in words), stopped.value


def test_a_failing_cell_stops_the_build_and_is_named(tiny):
    file = tiny / "solutions" / "pipeline" / "01_tiny.md"
    file.write_text(TINY.replace('answer_1 = "B"', 'answer_1 = "A"'))
    stops(tiny, "01_tiny.md", "the cell quiz_1", "CheckFailed", "not quite")


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("minutes: 5", "minutes: some", ["01_tiny.md", "minutes"]),
        ("grade_id: quiz_1", "grade_id: answer_1", ["01_tiny.md", "answer_1"]),
        ('quiz("01_tiny", 1', 'quiz("01_tidy", 1', ["01_tiny.md", "quiz_1", "should begin with"]),
        ('quiz("01_tiny", 1', 'quiz("01_tiny", 2', ["quiz.yml", "asks 2", "answers 1"]),
    ],
)
def test_a_wrong_source_is_named(tiny, old, new, words):
    file = tiny / "solutions" / "pipeline" / "01_tiny.md"
    file.write_text(TINY.replace(old, new))
    stops(tiny, *words)


@pytest.mark.parametrize(
    "quiz, words",
    [
        ("01_tiny: {1: {answer: C, why: {A: not quite, B: just so}}}", ["question 1 of 01_tiny", "'C'", "A, B"]),
        ("01_tiny: {1: {answer: b, why: {A: not quite, B: just so}}}", ["question 1 of 01_tiny", "'b'", "A, B"]),
        ("01_tiny: {1: {answer: b, why: {a: not quite, b: just so}}}", ["question 1 of 01_tiny", "option 'a'", "capital letter"]),
        ("01_tiny: {1: {why: {A: not quite, B: just so}}}", ["question 1 of 01_tiny", "no `answer`"]),
        ("01_tiny: {1: {answer: B}}", ["question 1 of 01_tiny", "no `why`"]),
        ("01_tiny: {1: {answer: B, why: just so}}", ["question 1 of 01_tiny", "`why` holds 'just so'"]),
        ("01_tiny: {1: B}", ["question 1 of 01_tiny", "it is 'B'"]),
        ("01_tiny: {1: {kind: word, answer: B, why: so}}", ["question 1 of 01_tiny", "kind is 'word'", "letter"]),
        ("01_tiny: {1: {kind: number, answer: a + 1, given: {a: 2}, why: so}}", ["question 1 of 01_tiny", "`a` holds 2"]),
        ("01_tiny: {1: {kind: number, answer: 1, why: 'it is {b}'}}", ["question 1 of 01_tiny", "braces", "'b'"]),
        ("01_tiny: {1: {kind: number, answer: 1, why: so, digits: two}}", ["question 1 of 01_tiny", "`digits`"]),
        ("01_tiny: [1]", ["01_tiny holds [1]"]),
        ("- 01_tiny", ["it holds ['01_tiny']"]),
        ("01_tiny: {1: {answer: B", ["no YAML", "line 1"]),
        ("", ["asks 1", "answers none"]),
    ],
)
def test_a_question_that_cannot_be_asked_is_named(tiny, quiz, words):
    (tiny / "solutions" / "pipeline" / "quiz.yml").write_text(quiz)
    stops(tiny, "quiz.yml", *words)


# A build that stops has changed nothing


def everything(root):
    return {file.relative_to(root): (file.read_bytes(), file.stat().st_mtime_ns) for file in root.rglob("*") if file.is_file()}


def raises(error):
    def instead(*_, **__):
        raise error

    return instead


@pytest.mark.parametrize(
    "change",
    [
        lambda tiny, patch: (tiny / "solutions" / "pipeline" / "01_tiny.md").write_text(TINY.replace('answer_1 = "B"', "1 / 0")),
        lambda tiny, patch: patch.setattr(stage, "make_release", raises(sources.BuildError("nbgrader could not release pipeline"))),
        lambda tiny, patch: patch.setattr(stage, "executed", raises(KeyboardInterrupt())),
    ],
    ids=["a cell raises", "the release fails", "Ctrl-C"],
)
def test_a_stopped_build_leaves_everything_as_it_was(tiny, monkeypatch, change):
    build.rebuild(tiny, lambda line: None)
    (tiny / "solutions" / "pipeline" / "quiz.yml").write_text(TINY_QUIZ.replace("answer: B", "answer: A"))
    change(tiny, monkeypatch)
    before = everything(tiny)
    with pytest.raises((sources.BuildError, KeyboardInterrupt)):
        build.rebuild(tiny, lambda line: None)
    assert everything(tiny) == before


def test_the_lessons_run_with_the_new_answers(tiny):
    """They run aside, where the new answer key is; and what they leave beside themselves is not a part of the course."""
    build.rebuild(tiny, lambda line: None)
    (tiny / "solutions" / "pipeline" / "quiz.yml").write_text(TINY_QUIZ.replace("answer: B", "answer: A"))
    source = TINY.replace('answer_1 = "B"', 'answer_1 = "A"\nopen("left.txt", "w").close()')
    (tiny / "solutions" / "pipeline" / "01_tiny.md").write_text(source)
    build.rebuild(tiny, lambda line: None)
    assert "left.txt" not in {file.name for file in tiny.rglob("*")}
    assert 'answer_1 = \\"A\\"' in (tiny / "solutions" / "pipeline" / "01_tiny.ipynb").read_text()


def test_a_notebook_without_source_or_edited_by_hand_is_named(tiny):
    stray = tiny / "solutions" / "pipeline" / "02_stray.ipynb"
    stray.write_text("{}")
    stops(tiny, "02_stray.ipynb", "no source")
    stray.rename(tiny / "solutions" / "pipeline" / "01_tiny.ipynb")
    stops(tiny, "01_tiny.ipynb", "changed by hand", "01_tiny.md")


def test_a_readme_without_its_marks_is_named(tiny):
    (tiny / "README.md").write_text("nothing")
    stops(tiny, "README.md", "<!-- lessons -->")


def test_the_command_teaches_itself(tmp_path):
    help_text = run("course.build", "--help", cwd=tmp_path).stdout
    assert all(word in help_text for word in ("notebooks", "bundle", "solutions/<unit>/<lesson>.md", "never overwritten"))
