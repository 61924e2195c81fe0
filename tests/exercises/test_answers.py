"""Right answers of every kind are accepted, wrong ones refused, and their cause is named.

The answers stand in tests/answers/, one file an exercise: to add one, write a function and put it into a list.
"""

import functools
import importlib
import inspect
import io
import logging
import re
import sys
import warnings

import pytest
import torch

from course import exercises
from course.checks import judge, play, report
from course.checks.case import Result
from course.checks.examine import PUBLIC_SEED, examine, verdict_on
from course.checks.verdict import NotAttempted
from course.learner.check import insist

torch.set_num_threads(1)

NAMES = exercises.names()
SEEDS = (PUBLIC_SEED, 1, 20, 303)
MANY_SEEDS = range(10_020, 10_045)
VALUED = [name for name in NAMES if hasattr(exercises.find(name), "oracle")]
BREAK = [name for name in NAMES if hasattr(exercises.find(name), "shipped")]
ANSWERS = {name: importlib.import_module(f"answers.{name}") for name in NAMES}
RIGHT = [(name, answer) for name in NAMES for answer in ANSWERS[name].RIGHT]
WRONG = [(name, answer, cause) for name in NAMES for answer, cause in ANSWERS[name].WRONG]


def _id(value):
    return getattr(value, "__name__", type(value).__name__) if callable(value) else ""


def _ids(rows):
    return [f"{row[0]}-{_id(row[1])}" for row in rows]


@pytest.fixture(autouse=True, scope="module")
def remembered():
    """The same cases and the same results of oracles and mistakes for all tests: they depend on nothing but the seed."""
    patch = pytest.MonkeyPatch()
    for name in NAMES:
        module = exercises.find(name)
        patch.setattr(module, "cases", functools.lru_cache(None)(module.cases))
    patch.setattr(judge, "evaluate", _remember(judge.evaluate))
    yield
    patch.undo()


def _remember(evaluate):
    known = {}

    def remembering(function, case, grads=()):
        key = function, id(case), grads
        if key not in known:
            try:
                known[key] = case, evaluate(function, case, grads), None
            except Exception as error:
                known[key] = case, None, error
        _, value, error = known[key]  # the case is kept alive with it, or another could get its id
        if error:
            raise error
        return value

    return remembering


def message(name, answer, seed=PUBLIC_SEED):
    """The report on an answer in one line."""
    return " ".join(report.text(examine(exercises.find(name), answer, seed, ask_again=True)).split())


def refused(name, answer, seed):
    """Is the answer refused? As `examine`, but it stops at the first case that refuses and looks for no cause."""
    module = exercises.find(name)
    return any(module.judge(case, module.play(answer, case)) for case in module.cases(seed))


@pytest.mark.parametrize("name", NAMES)
def test_there_are_enough_answers(name):
    assert len(ANSWERS[name].RIGHT) >= 5
    assert len(ANSWERS[name].WRONG) >= 10


@pytest.mark.parametrize("name, answer", RIGHT, ids=_ids(RIGHT))
def test_right_answer_passes(name, answer):
    for seed in SEEDS:
        assert examine(exercises.find(name), answer, seed).passed, message(name, answer, seed)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_right_answers_pass_whatever_is_drawn(name):
    """Under `course grade` every notebook has cases of its own: one draw in a hundred that refuses a right answer would hit somebody."""
    for seed in MANY_SEEDS:
        for answer in (ANSWERS[name].RIGHT[0], ANSWERS[name].RIGHT[-1]):
            assert not refused(name, answer, seed), message(name, answer, seed)


@pytest.mark.parametrize("name, answer, cause", WRONG, ids=_ids(WRONG))
def test_wrong_answer_is_refused_and_its_cause_named(name, answer, cause):
    text = message(name, answer)
    assert not text.startswith("PASSED")
    assert cause in text
    for seed in SEEDS[1:]:
        assert refused(name, answer, seed), f"accepted with seed {seed}"


@pytest.mark.parametrize("name", NAMES)
def test_the_first_case_alone_would_accept_wrong_answers(name):
    module = exercises.find(name)
    first = module.cases(PUBLIC_SEED)[0]
    accepted = []
    for answer, _ in ANSWERS[name].WRONG:
        result = module.play(answer, first)
        if module.judge(first, result) is None:
            accepted.append(answer)
    assert len(accepted) >= 3, [answer.__name__ for answer in accepted]


def constant(target):
    return lambda *args: _map(target, torch.clone)


def zeros(target):
    return lambda *args: _map(target, torch.zeros_like)


def random(target):
    return lambda *args: _map(target, torch.randn_like)


def _map(target, change):
    """The same kind of answer (a tensor, several values, a dict, plain floats, a function) with every tensor changed."""
    if isinstance(target, tuple):
        return tuple(_map(part, change) for part in target)
    if isinstance(target, dict):
        return {key: _map(part, change) for key, part in target.items()}
    if isinstance(target, float):
        return change(torch.tensor(target)).item()
    return change(target) if isinstance(target, torch.Tensor) else lambda x: _map(target(x), change)


@pytest.mark.parametrize("name", VALUED)
@pytest.mark.parametrize("fooling", [constant, zeros, random])
def test_values_of_the_first_case_do_not_pass(name, fooling):
    module = exercises.find(name)
    target, _ = judge.evaluate(module.oracle, module.cases(PUBLIC_SEED)[0])
    for seed in SEEDS:
        assert refused(name, fooling(target), seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [torch.zeros_like, torch.ones_like, torch.randn_like, torch.empty_like, torch.clone])
def test_the_right_shape_is_not_enough(name, change):
    """The right answer's shape with other numbers; for the clone, with no graph behind it."""
    right = ANSWERS[name].RIGHT[0]

    def answer(*args):
        with torch.no_grad():
            return _map(right(*args), change)

    learns = hasattr(exercises.find(name), "GRADS") or name == "train_epoch"
    clone_is_right = change is torch.clone and not learns
    zeros_are_right = change is torch.zeros_like and name == "init_hidden"
    for seed in SEEDS:
        assert refused(name, answer, seed) != (clone_is_right or zeros_are_right)


@pytest.mark.parametrize("name", NAMES)
def test_identity_is_refused(name):
    for seed in SEEDS:
        assert refused(name, lambda first, *rest: first, seed)


def first_answer(right):
    """Computes once, then says the same for ever."""
    kept = []

    def answer(*args):
        kept.append(right(*args)) if not kept else None
        return kept[0]

    return answer


def last_answer(right):
    """Always one call behind."""
    kept = [None]

    def answer(*args):
        kept.append(right(*args))
        return kept[-2] if kept[-2] is not None else kept[-1]

    return answer


def right_once(right):
    """Right at every first call with an input, wrong at the next."""
    seen = {}

    def answer(*args):
        key = repr([getattr(arg, "shape", None) for arg in args])
        seen[key] = seen.get(key, 0) + 1
        value = right(*args)
        return value if seen[key] == 1 else _map(value, lambda tensor: tensor + 1)

    return answer


def right_the_first_time_only(right):
    calls = []

    def answer(*args):
        calls.append(1)
        value = right(*args)
        return value if len(calls) == 1 else _map(value, lambda tensor: tensor * 0 + 3)

    return answer


def same_memory(right):
    """Fills one tensor again and again for each shape."""
    kept = {}

    def answer(*args):
        with torch.no_grad():
            value = right(*args)
        parts = value if isinstance(value, (tuple, list)) else [value]
        key = tuple((part.shape, part.dtype, part.device) for part in parts)
        if key not in kept:
            kept[key] = value
        return kept[key]

    return answer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("forgetful", [first_answer, last_answer, right_once, right_the_first_time_only, same_memory])
def test_memory_between_calls_is_refused(name, forgetful):
    right = ANSWERS[name].RIGHT[0]
    for seed in SEEDS:
        assert refused(name, forgetful(right), seed)


class TestNothingLeaks:
    """A check leaves the session as it found it, and writes nothing to stderr: nbgrader gives zero for that."""

    @staticmethod
    def noisy(right):
        def answer(*args):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            warnings.warn("a warning")
            warnings.warn("a future warning", FutureWarning)
            logging.warning("a log line")
            logging.getLogger("somebody").error("an error line")
            return right(*args)

        return answer

    @pytest.mark.parametrize("name", NAMES)
    def test_stderr_stays_empty(self, name, capfd):
        for answer in (self.noisy(ANSWERS[name].RIGHT[0]), self.noisy(ANSWERS[name].WRONG[0][0])):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                examine(exercises.find(name), answer, PUBLIC_SEED)
        out, err = capfd.readouterr()
        assert (out, err) == ("", "")

    def test_a_logger_made_before_the_check_stays_quiet(self, capfd):
        handler = logging.StreamHandler(sys.stderr)
        logger = logging.getLogger("made before")
        logger.addHandler(handler)
        logger.propagate = False

        def answer(logits):
            logger.warning("heard?")
            return logits.softmax(-1)

        try:
            assert examine(exercises.find("to_probs"), answer, 0).passed
            assert capfd.readouterr().err == ""
            assert handler.stream is sys.stderr
            logger.warning("afterwards")
            assert "afterwards" in capfd.readouterr().err
        finally:
            logger.removeHandler(handler)

    def test_what_was_printed_is_shown(self):
        assert "to stdout" in message("to_probs", self.noisy(lambda logits: logits.softmax(-1)))

    def test_a_warning_of_the_judge_does_not_get_out(self):
        def complex_numbers(logits):
            return logits.softmax(-1) + 0j

        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            assert "should be torch.float32; yours is torch.complex64" in message("to_probs", complex_numbers)
        assert [str(one.message) for one in seen] == []

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("grad", [True, False])
    def test_the_session_stays_as_it_was(self, name, grad):
        def meddling(*args):
            torch.use_deterministic_algorithms(False)
            torch.set_grad_enabled(False)
            warnings.simplefilter("ignore")
            raise RuntimeError("and then an error")

        with torch.set_grad_enabled(grad):
            before = self.session()
            for answer in (meddling, ANSWERS[name].RIGHT[0], ANSWERS[name].WRONG[0][0]):
                examine(exercises.find(name), answer, PUBLIC_SEED)
                assert self.session() == before

    @staticmethod
    def session():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.is_grad_enabled(),
            list(warnings.filters),
            warnings.showwarning,
            sys.stdout,
            sys.stderr,
            torch.get_num_threads(),
        )

    @pytest.mark.parametrize("name", NAMES)
    def test_random_numbers_go_on_as_if_there_had_been_no_check(self, name):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        examine(exercises.find(name), ANSWERS[name].RIGHT[0], 77)
        assert torch.equal(torch.rand(3), expected)

    def test_without_gradients_in_the_session_a_right_answer_still_passes(self):
        with torch.no_grad():
            assert examine(exercises.find("run_sequence"), ANSWERS["run_sequence"].RIGHT[0], 0).passed


@pytest.mark.parametrize("name", BREAK)
@pytest.mark.parametrize("grad", [True, False])
def test_shipped_code_is_not_attempted_yet(name, grad):
    module = exercises.find(name)
    with torch.set_grad_enabled(grad):
        for seed in SEEDS:
            verdict = examine(exercises.find(name), module.shipped, seed)
            assert verdict.finding.outcome == "not attempted yet"
    text = report.text(verdict)
    assert text.startswith(f"not attempted yet  {name}")
    assert " ".join(module.SHIPPED_BUG.split()) in " ".join(text.split())


def empty(*args):
    """Nothing but a docstring."""


def dots(*args): ...


def passing(*args):
    pass


def comment_only(*args):
    # YOUR CODE HERE
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("answer", [empty, dots, passing, comment_only, None, ..., lambda *args: None])
def test_an_empty_function_is_not_attempted_yet(name, answer):
    verdict = examine(exercises.find(name), answer, PUBLIC_SEED)
    assert verdict.finding.outcome == "not attempted yet"
    assert message(name, answer).startswith("not attempted yet")
    with pytest.raises(NotAttempted):
        insist(verdict)


@pytest.mark.parametrize("name", NAMES)
def test_different_values_stand_side_by_side_with_their_shapes(name):
    right = ANSWERS[name].RIGHT[0]

    def a_little_off(*args):
        return _map(right(*args), lambda tensor: tensor + 0.1)

    verdict = examine(exercises.find(name), a_little_off, PUBLIC_SEED)
    text = report.text(verdict)
    assert text.startswith(f"WRONG  {name}: ")
    assert re.search(r"it is off by (up to )?0\.1", " ".join(text.split()))
    line = next(line for line in text.splitlines() if "yours" in line and "target" in line)
    assert line.count("shape (") == 2
    assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize("name", NAMES)
def test_a_passed_check_says_what_was_tried(name):
    verdict = examine(exercises.find(name), ANSWERS[name].RIGHT[0], PUBLIC_SEED)
    text = " ".join(report.text(verdict).split())
    assert text.startswith(f"PASSED {name}: all {len(verdict.cases)} cases")
    assert all(case.title in text for case in verdict.cases)


MISTAKES = [(name, sentence) for name in VALUED for sentence in exercises.find(name).MISTAKES]


@pytest.mark.parametrize("name, sentence", MISTAKES, ids=[f"{name}-{sentence[:50]}" for name, sentence in MISTAKES])
def test_every_known_mistake_is_refused_and_named(name, sentence):
    """Make each mistake on purpose: some case refuses it, and the message names it or one before it that gives the same."""
    module = exercises.find(name)
    grads = getattr(module, "GRADS", ())
    cases = module.cases(PUBLIC_SEED)
    results = [_as_result(module.MISTAKES[sentence], case, grads) for case in cases]
    finding = verdict_on(module, cases, results)
    assert finding is not None, "no case tells this mistake from the right answer"
    if finding.outcome == "not attempted yet":
        return
    earlier = list(module.MISTAKES)[: list(module.MISTAKES).index(sentence) + 1]
    assert finding.cause in earlier, f"named instead: {finding.cause!r}; seen: {finding.what}"
    if finding.cause != sentence:
        assert _give_the_same(module.MISTAKES[sentence], module.MISTAKES[finding.cause], cases, grads), f"named instead: {finding.cause}"


EPOCH = exercises.find("train_epoch")
EPOCH_MISTAKES = [
    (part, sentence)
    for part, mistakes in enumerate((EPOCH.LOSS_MISTAKES, EPOCH.ACCURACY_MISTAKES, EPOCH.GRADIENT_MISTAKES))
    for sentence, mistake in mistakes.items()
    if mistake not in (EPOCH._another_batch, EPOCH._same_direction)  # they need a wrong gradient
]


@pytest.mark.parametrize("part, sentence", EPOCH_MISTAKES, ids=[f"{part}-{sentence[:50]}" for part, sentence in EPOCH_MISTAKES])
def test_every_known_mistake_of_an_epoch_is_refused_and_named(part, sentence):
    """Put each mistake's numbers into what was recorded of a right answer."""
    mistakes = (EPOCH.LOSS_MISTAKES, EPOCH.ACCURACY_MISTAKES, EPOCH.GRADIENT_MISTAKES)[part]
    cases = EPOCH.cases(PUBLIC_SEED)
    results = [EPOCH.play(ANSWERS["train_epoch"].RIGHT[0], case) for case in cases]
    for case, result in zip(cases, results):
        for log, packed in zip(result.notes, result.value["items"]):
            epoch = EPOCH._Epoch(case, log)
            if part == EPOCH.GRADIENT:
                wrong = [mistakes[sentence](epoch, i) for i in range(len(log["steps"]))]
                log["steps"] = [{**step, "grads": grads} for step, grads in zip(log["steps"], wrong)]
            else:
                items = list(packed["items"])
                items[part] = play.pack(float(mistakes[sentence](epoch)))
                packed["items"] = items
    finding = verdict_on(EPOCH, cases, results)
    assert finding is not None and finding.part == part, "no case tells this mistake from the right answer"
    assert finding.cause == sentence


def _as_result(mistake, case, grads):
    try:
        value, found = judge.evaluate(mistake, case, grads)
    except Exception as error:
        return Result(error=play.describe(error))
    return Result(value=play.pack(value), again=play.pack(value), grads=found)


def _give_the_same(one, other, cases, grads):
    """Do two mistakes give the same value wherever both can be made?"""
    for case in cases:
        try:
            (a, _), (b, _) = judge.evaluate(one, case, grads), judge.evaluate(other, case, grads)
        except Exception:
            continue
        for left, right in zip(play.parts(a), play.parts(b)):
            if left.device.type == "cpu" and not (left.shape == right.shape and torch.allclose(left, right, atol=1e-5, equal_nan=True)):
                return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_has_a_sentence_of_its_own(name):
    module = exercises.find(name)
    assert len(module.HINTS) >= 2
    for sentence in module.MISTAKES:
        assert sentence == sentence.strip() and not sentence.endswith("."), "the report adds the full stop"


@pytest.mark.parametrize("name", NAMES)
def test_cases_depend_on_nothing_but_the_seed(name):
    draw = inspect.unwrap(exercises.find(name).cases)
    torch.manual_seed(1)
    one = draw(3)
    torch.manual_seed(2)
    other = draw(3)
    assert [case.title for case in one] == [case.title for case in other]
    assert repr([case.args for case in one]) == repr([case.args for case in other])
    assert repr([case.args for case in draw(4)]) != repr([case.args for case in one])


def test_an_answer_that_replaces_stdout_does_not_keep_it():
    before = sys.stdout

    def thief(logits):
        sys.stdout = io.StringIO()
        return logits.softmax(-1)

    examine(exercises.find("to_probs"), thief, 0)
    assert sys.stdout is before
