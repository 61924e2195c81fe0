"""A table of laws and modules with three verdicts: right modules of every family, and a broken twin of each."""

import re

import pytest
import torch
from laws import page, zoo
from torch import nn

from course import laws

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore")
KINDS = {**zoo.RIGHT, **zoo.BROKEN}


@pytest.mark.parametrize("name", KINDS)
def test_each_law_says_of_each_module_what_is_so(name):
    """Asked one by one, each law of a module of its own."""
    zoo.KEPT.clear()
    for law, (said, holds) in zip(laws.ALL, KINDS[name].expected.items()):
        torch.manual_seed(0)
        verdict = law(KINDS[name].make())
        assert verdict.holds is holds and verdict.asked, f"{said}: {verdict!r}"


@pytest.mark.parametrize("name", KINDS)
def test_all_laws_in_turn_say_the_same(name):
    assert page.said(KINDS[name], seed=1) == list(KINDS[name].expected.values())


def test_there_are_forty_and_every_law_has_a_module_that_breaks_it():
    assert len(KINDS) >= 40
    alone = {next(iter(kind.broken.split())) for kind in zoo.BROKEN.values()} | {law for kind in zoo.BROKEN.values() for law in kind.broken.split()}
    assert alone == {name.removesuffix(" law") for name in zoo.NAMES}


def never_called_broken(name, seeds):
    for seed in seeds:
        zoo.KEPT.clear()
        torch.manual_seed(seed)
        for verdict, holds in zip(laws.check_all(zoo.RIGHT[name].make()), zoo.RIGHT[name].expected.values()):
            assert verdict.holds is holds, f"seed {seed}: {verdict!r}"


@pytest.mark.parametrize("name", zoo.RIGHT)
def test_no_right_module_is_called_broken(name):
    never_called_broken(name, range(2, 4))


@pytest.mark.long
@pytest.mark.parametrize("name", zoo.RIGHT)
def test_no_right_module_is_called_broken_in_200_draws(name):
    never_called_broken(name, range(200))


class TestThePage:
    def text(self):
        return page.PAGE.read_text(encoding="utf-8")

    def test_its_tables_are_what_the_laws_say(self):
        assert page.written(self.text()) == self.text(), "python tests/laws/page.py writes the tables of docs/laws.md"

    @pytest.mark.parametrize("name", ["classifier", "detector", "mingru", "cache"])
    def test_its_examples_run_as_they_stand(self, name):
        [code] = re.findall(rf"<!-- example: {name} -->\n```python\n(.*?)```", self.text(), flags=re.DOTALL)
        names = {"torch": torch, "nn": nn, "laws": laws}
        exec(code, names)
        assert "assert_laws(" in code

    def test_an_example_that_is_broken_is_found(self):
        [code] = re.findall(r"<!-- example: detector -->\n```python\n(.*?)```", self.text(), flags=re.DOTALL)
        assert "-3:]" in code
        with pytest.raises(AssertionError, match="step law is BROKEN"):
            exec(code.replace("window[:, -3:]", "window[:, :3]"), {"torch": torch, "nn": nn, "laws": laws})
