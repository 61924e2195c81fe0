"""Progress is kept between visits, and lesson 06 runs the worked example through what was kept."""

import json

import pytest
import torch

from course import check, my_course, my_progress, my_unit, run_pipeline
from course.learner import progress


@pytest.fixture
def progress_file(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "progress.json"
    monkeypatch.setenv("HIDDEN_STATE_PROGRESS", str(file))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return file


def output_layer(h, W, b):
    return h @ W.T + b


def to_probs(logits):
    return torch.softmax(logits, dim=-1)


def wrong_to_probs(logits):
    return torch.softmax(logits, dim=0)


def test_a_passed_check_is_noted_and_shown(progress_file, capsys):
    check("output_layer", output_layer)
    my_progress("05_output")
    shown = capsys.readouterr().out
    assert "[done ] Build  output_layer" in shown
    assert "[to do] Break  last_valid" in shown
    assert "min  4 of 9  last_valid, question 1, question 2" in shown and "0 of 6 lessons done" in shown


def test_it_is_kept_between_visits(progress_file, capsys):
    check("output_layer", output_layer)
    assert "return h @ W.T + b" in json.loads(progress_file.read_text())["exercises"]["output_layer"]


def test_a_failed_check_is_noted_as_a_miss_alone(progress_file):
    with pytest.raises(AssertionError):
        check("to_probs", wrong_to_probs)
    with pytest.raises(AssertionError):
        check("to_probs", None)
    assert json.loads(progress_file.read_text()) == {"exercises": {}, "answers": {}, "misses": {"to_probs": 1}}


def test_a_file_from_before_misses_were_counted_is_read(progress_file):
    progress_file.parent.mkdir()
    progress_file.write_text('{"exercises": {"to_probs": ""}, "answers": {}}')
    assert progress.load() == {"exercises": {"to_probs": ""}, "answers": {}, "misses": {}}


class TestMyCourse:
    @pytest.fixture(autouse=True)
    def two_lessons(self, progress_file, monkeypatch, tmp_path):
        items = [
            {"kind": "check", "name": "to_probs", "section": "Build", "points": 4},
            {"kind": "quiz", "name": "1", "section": "Quiz", "points": 1},
            {"kind": "text", "name": "insight", "section": "Build", "points": 3},
        ]
        file = tmp_path / "lessons.json"
        file.write_text(
            json.dumps(
                {
                    "one": [{"lesson": "01_a", "title": "A", "minutes": 20, "items": items}],
                    "two": [{"lesson": "02_b", "title": "B", "minutes": 5, "items": [{"kind": "quiz", "name": "1", "section": "Quiz", "points": 2}]}],
                }
            )
        )
        monkeypatch.setattr(progress, "LESSONS", file)

    def test_at_the_start(self):
        card = my_course()
        assert card.title == "Hidden State" and card.summary == "0 of 2 lessons, 0 of 7 points from checks and questions."
        assert card.table.rows == [("1 · A", "0 of 5", "not begun"), ("2 · B", "0 of 2", "not begun")]

    def test_half_way_with_a_hard_exercise(self):
        for _ in range(2):
            progress.note_miss("to_probs")
        progress.note_exercise("to_probs", to_probs)
        card = my_course("Ada <3")
        assert card.summary.startswith("0 of 2 lessons, 4 of 7 points")
        assert card.table.rows[0] == ("1 · A", "4 of 5", "Quiz: question 1 is left; to_probs took 3 tries")
        assert "3 points more for what you wrote" in repr(card) and "Ada &lt;3" in card._repr_html_() and "Ada <3" in repr(card)

    def test_at_the_end(self):
        progress.note_exercise("to_probs", to_probs)
        progress.note_miss("02_b/1")
        for lesson in ("01_a", "02_b"):
            progress.note_answer(lesson, 1)
        card = my_course()
        assert card.summary == "2 of 2 lessons, 7 of 7 points from checks and questions. You have finished the course."
        assert [row[-1] for row in card.table.rows] == ["", ""]

    def test_a_unit(self, capsys):
        progress.note_answer("02_b", 1)
        assert my_unit("two").rows == [("02_b", "5 min", "2 of 2", "done")]
        assert my_unit("one").caption == "Unit one: 0 of 1 lessons done"
        with pytest.raises(ValueError, match="The units are one, two"):
            my_unit("three")
        my_progress("01_a")
        assert "[read by a teacher] Build  insight  (3 points)" in capsys.readouterr().out


def test_a_later_failure_does_not_take_a_pass_away(progress_file):
    check("to_probs", to_probs)
    with pytest.raises(AssertionError):
        check("to_probs", wrong_to_probs)
    assert "to_probs" in json.loads(progress_file.read_text())["exercises"]


def test_nothing_is_kept_under_nbgrader(progress_file, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check("to_probs", to_probs)
    assert not progress_file.exists()


def test_a_file_in_the_way_costs_nothing_but_the_note(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HIDDEN_STATE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    check("to_probs", to_probs)
    said = capsys.readouterr().out
    assert "PASSED" in said and "cannot be read" in said


def test_a_full_disk_costs_nothing_but_the_note(progress_file, monkeypatch, capsys):
    def refuse(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    check("to_probs", to_probs)
    said = capsys.readouterr().out
    assert "PASSED" in said and "could not be kept" in said
    assert not list(progress_file.parent.iterdir())


def test_unknown_lesson_is_named(progress_file):
    with pytest.raises(ValueError, match="03_cell_step"):
        my_progress("03")


def test_the_pipeline_runs_through_kept_functions(progress_file, capsys):
    check("output_layer", output_layer)
    capsys.readouterr()
    run_pipeline(to_probs=to_probs)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines if "5 output" in line][0].endswith("0.500]")
    assert "yours" in lines[4] and "yours" in lines[5] and "PyTorch" in lines[0]
    assert lines[5].endswith("[0.461, 0.309, 0.229]")


def test_the_pipeline_says_what_is_not_attempted(progress_file, capsys):
    def to_probs(logits):
        """Nothing yet."""

    run_pipeline(to_probs=to_probs)
    assert capsys.readouterr().out.strip() == "not attempted yet: to_probs"


def test_the_pipeline_knows_its_stages(progress_file):
    with pytest.raises(ValueError, match="to_probs"):
        run_pipeline(softmax=to_probs)


def test_a_file_that_may_not_be_read_is_left_alone(progress_file, monkeypatch, capsys):
    check("output_layer", output_layer)
    kept = progress_file.read_bytes()

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(progress_file), "read_text", refuse)
    check("to_probs", to_probs)
    monkeypatch.undo()
    assert progress_file.read_bytes() == kept
    assert "cannot be read" in capsys.readouterr().out


def test_a_kept_function_that_needs_its_notebook_is_stood_in_for(progress_file, capsys):
    source = "def output_layer(h, W, b):\n    return defined_in_another_cell(h, W, b)\n"
    progress_file.parent.mkdir()
    progress_file.write_text(json.dumps({"exercises": {"output_layer": source}, "answers": {}}))
    run_pipeline(to_probs=to_probs)
    said = capsys.readouterr().out
    assert "PyTorch" in said.splitlines()[4]
    assert "output_layer: yours is kept, but it needs names from other cells" in said
