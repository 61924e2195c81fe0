"""A cell with a SyntaxError leaves the older function judged: the check says so, and judges as before."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

RIGHT = "def to_probs(logits):\n    return logits.softmax(-1)"
BROKEN = "def to_probs(logits):\n    return logits.softmax(-1"
CHECK = 'check("to_probs", to_probs)'


@pytest.fixture
def shell(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setattr("course.learner.stale.get_ipython", lambda: shell)
    shell.run_cell("from course import check, torch", store_history=True)
    return shell


def said(shell, capsys, *cells):
    """What the last of these cells prints or raises."""
    capsys.readouterr()
    for cell in cells:
        done = shell.run_cell(cell, store_history=True)
        capsys.readouterr() if cell is not cells[-1] else None
    return capsys.readouterr().out + str(done.error_in_exec or "")


def test_a_cell_that_does_not_compile_is_named_beside_a_pass(shell, capsys):
    text = said(shell, capsys, RIGHT, BROKEN, CHECK)
    assert text.startswith("PASSED") and "the cell with `def to_probs` that you ran last has a SyntaxError in line 2" in text


def test_and_beside_a_failure(shell, capsys):
    text = said(shell, capsys, RIGHT.replace("-1", "0"), BROKEN, CHECK)
    assert "WRONG" in text and "SyntaxError in line 2, so this is about the function from before" in text


@pytest.mark.parametrize("cells", [(RIGHT,), (BROKEN, RIGHT), (RIGHT, "x = ("), (RIGHT, "%time 1\n" + RIGHT)])
def test_nothing_is_said_where_the_last_cell_is_the_function(shell, capsys, cells):
    text = said(shell, capsys, *cells, CHECK)
    assert "PASSED" in text and "SyntaxError" not in text


def test_after_a_pass_the_discussion_is_named(shell, capsys):
    assert said(shell, capsys, RIGHT, CHECK).rstrip().endswith('discuss("to_probs") shows other ways to write it.')
    assert "discuss" not in said(shell, capsys, RIGHT.replace("-1", "0"), CHECK)
