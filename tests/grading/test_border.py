"""The border of the grader without a sandbox: whatever a forger sends in the place of a wrong answer, no point is gained."""

import importlib
import re
import socket
import threading
import time
from pathlib import Path

import forger
import pytest
import torch
from forger import MISSING, NAMES, SEED, WRONG, at, by, changed, earns, error, everywhere, few, forged, messages, peer, places, played

from course import exercises
from course.checks import examine, report
from course.checks.case import DERIVED, FLOAT32_LAYER, NO_DATA, Result, sent
from course.grading.roster.people import Person
from course.grading.run import journal, notebooks, whose
from course.grading.sandbox import Lost, Session, trust, wire
from course.learner import quiz, sealed

torch.set_num_threads(1)
DOC = Path(__file__).parents[2] / "docs" / "architecture-border.md"


@pytest.fixture(autouse=True, scope="module")
def quick():
    with forger.quick():
        yield


class TestEveryField:
    @pytest.mark.parametrize("name, start", WRONG)
    def test_the_messages_are_those_of_a_wrong_answer(self, name, start):
        """They come through whole, and it is the judge who refuses them."""
        with peer(messages(name, start)) as session:
            assert notebooks._examined(session, name, name, SEED).finding.outcome in ("wrong", "raised")

    @pytest.mark.parametrize("name", NAMES)
    def test_those_of_a_right_answer_pass(self, name):
        """Or the rest would prove nothing."""
        right = importlib.import_module(f"answers.{name}").RIGHT[0]
        results = [{"result": sent(exercises.find(name).play(right, case))} for case in few(name, SEED)]
        assert earns(name, [{"finding": None}, *results, {"end": True}])

    @pytest.mark.parametrize("name, start", WRONG)
    def test_no_field_can_be_forged(self, name, start):
        result = {"result": played(name, start)[0]}
        for path in [path for path in places(result) if start == "a little off" or len(path) < 5]:
            every = start == "a little off" or (start == "the second call" and "again" in path)
            for new in forged(at(result, path)) if every else [MISSING, None, True, -1.0, [], {}, torch.ones(1)]:
                assert not earns(name, everywhere(name, start, path, new)), (path, new)

    @pytest.mark.parametrize("name", NAMES)
    def test_no_error_can_be_forged(self, name):
        kinds = ("TooSlow", "RuntimeError", "NotImplementedError", "TypeError", "ValueError", "KeyboardInterrupt", "")
        words = (*NO_DATA, *FLOAT32_LAYER, "does not match weight dtype", "")
        for start in ("a little off", "the second call"):
            honest = messages(name, start)
            for kind in kinds:
                for said in ("".join(words), words[0]):
                    alone, late = {"value": None, "again": None, "after": None, "grads": {}, "error": error(kind, said)}, {"again": None, "grads": {}}
                    for change in (alone, {**late, "error": error(kind, said)}, {"grads": {}, "grad_error": error(kind, said)}):
                        every = [{"result": {**message["result"], **change}} for message in honest[1:-1]]
                        assert not earns(name, [honest[0], *every, honest[-1]])
                        for i in range(len(every)):
                            assert not earns(name, [honest[0], *honest[1 : 1 + i], every[i], *honest[2 + i :]])
                            assert not earns(name, [honest[0], *honest[1 : 1 + i], every[i], honest[-1]])

    @pytest.mark.parametrize("name", NAMES)
    def test_what_stops_early_never_passes(self, name):
        """Not even where all that was seen is right."""
        module, right = exercises.find(name), importlib.import_module(f"answers.{name}").RIGHT[0]
        results = [{"result": sent(module.play(right, case))} for case in few(name, SEED)]
        for i in range(len(results)):
            assert not earns(name, [{"finding": None}, *results[:i], {"end": True}])
            for change in ({"error": error("TooSlow", "")}, {"grad_error": error("TooSlow", "on meta tensors")}):
                last = {**results[i]["result"], "grads": {}, **change}
                last = {**last, "again": None} if "error" in change else last
                assert not earns(name, [{"finding": None}, *results[:i], {"result": last}, {"end": True}])
                assert not earns(name, [{"finding": None}, *results[:i], {"result": last}, *results[i + 1 :], {"end": True}])

    @pytest.mark.parametrize("name", NAMES)
    def test_no_judge_passes_what_stopped_early(self, name):
        """The last line: whatever a session lets through, and in a learner's own check."""
        module, right = exercises.find(name), importlib.import_module(f"answers.{name}").RIGHT[0]
        cases = few(name, SEED)
        results = [module.play(right, case) for case in cases]
        assert examine.verdict_on(module, cases, results) is None
        for i in range(len(results)):
            assert examine.verdict_on(module, cases, results[:i]).outcome == "raised"
            stopped = [*results[:i], Result(**{**vars(results[i]), "grad_error": error("TooSlow", "on meta tensors")}), *results[i + 1 :]]
            assert examine.verdict_on(module, cases, stopped).outcome == "raised"


class TestEveryMessage:
    @pytest.mark.parametrize("name", NAMES)
    def test_missing_double_and_reordered(self, name):
        for start in ("a little off", "the second call"):
            honest = messages(name, start)
            for i in range(len(honest)):
                assert not earns(name, [*honest[:i], *honest[i + 1 :]])
                assert not earns(name, [*honest[:i], honest[i], *honest[i:]])
                assert not earns(name, [*honest[:i], *reversed(honest[i:])])
                for other in ({"end": True}, {"end": 1}, {"end": torch.tensor(1)}, {"end": torch.ones(2)}, {"finding": None}, {"passed": True}, None, [], 7):
                    assert not earns(name, [*honest[:i], other, *honest[i + 1 :]])
                    assert not earns(name, [*honest[:i], other])

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize(
        "finding", [{}, {"outcome": "passed", "what": ""}, {"outcome": "wrong", "what": 1}, {"outcome": None, "what": ""}, True, 0, "", []]
    )
    def test_the_finding(self, name, finding):
        assert not earns(name, [{"finding": finding}, *messages(name, "a little off")[1:]])

    def test_what_comes_before_it_is_asked_for(self):
        """The right results of cases that somebody knew, sent before the grader asks."""
        right = importlib.import_module("answers.to_probs").RIGHT[0]
        results = [{"result": sent(exercises.find("to_probs").play(right, case))} for case in few("to_probs", SEED)]
        frames = [wire.pack(message) for message in [{"finding": None}, *results, {"end": True}]]
        with peer(early=b"".join(frames)) as session, pytest.raises(Lost, match="before it was asked"):
            notebooks._examined(session, "to_probs", "to_probs", SEED)

    def test_what_comes_after_the_end(self):
        honest = messages("to_probs", "a little off")
        with peer([*honest, *honest], honest) as session:
            assert not notebooks._examined(session, "to_probs", "to_probs", SEED).passed
            with pytest.raises(Lost, match="before it was asked"):
                notebooks._examined(session, "to_probs", "to_probs", SEED)

    def test_what_comes_late(self, monkeypatch):
        """By the grader's clock: a session that has stopped its own does not get more."""
        monkeypatch.setattr("course.grading.sandbox.CASE", 0.2)
        session = Session(forger.NoSandbox(), {})
        session.sock, its = socket.socketpair()
        session.ends = (began := time.monotonic()) + 60
        with its, pytest.raises(Lost, match="time limit"):
            threading.Timer(0.05, its.sendall, [wire.pack({"finding": None})]).start()
            notebooks._examined(session, "to_probs", "to_probs", SEED)
        assert time.monotonic() - began < 20

    @pytest.mark.parametrize("name", NAMES)
    def test_frames_that_are_cut_short_or_garbled(self, name):
        whole = b"".join(map(wire.pack, messages(name, "a little off")))
        for size in (0, 1, 11, 12, 13, len(whole) // 2, len(whole) - 1):
            assert not earns(name, [whole[:size]])
        for place in range(0, len(whole), max(1, len(whole) // 60)):
            assert not earns(name, [whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :]])


class TestInputs:
    """They are sent back, and what changed is found out here."""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_changed_input_is_seen_outside(self, name):
        right = importlib.import_module(f"answers.{name}").RIGHT[0]

        def answer(*args):
            value = right(*args)
            _spoil(args)
            return value

        results = [{"result": sent(exercises.find(name).play(answer, case))} for case in few(name, SEED)]
        assert "changed" not in results[0]["result"]
        with peer([{"finding": None}, *results, {"end": True}]) as session:
            finding = notebooks._examined(session, name, name, SEED).finding
        if hasattr(exercises.find(name), "FREE"):  # the lesson leaves open whether it may
            assert finding is None
        else:
            assert finding.outcome == "wrong" and "your function changed its input" in finding.what

    @pytest.mark.parametrize(
        "change, said",
        [
            ("train", "mode"),
            ("zero", "weights"),
            ("hook", "hook"),
            ("freeze", "requires_grad"),
            ("note", "settings"),
            ("buffer", "buffers"),
            ("backward hook", "hook"),
        ],
    )
    def test_a_changed_model_is_seen_outside(self, change, said):
        right = importlib.import_module("answers.prediction_trace").RIGHT[0]
        changes = {
            "train": lambda rnn: rnn.train(not rnn.training),
            "zero": lambda rnn: torch.nn.init.zeros_(rnn.weight_hh_l0),
            "hook": lambda rnn: rnn.register_forward_hook(print),
            "freeze": lambda rnn: rnn.requires_grad_(False),
            "note": lambda rnn: setattr(rnn, "kept", 1),
            "buffer": lambda rnn: rnn.register_buffer("kept", torch.zeros(1)),
            "backward hook": lambda rnn: rnn.register_full_backward_hook(print),
        }

        def answer(rnn, out, x):
            value = right(rnn, out, x)
            changes[change](rnn)
            return value

        results = [{"result": sent(exercises.find("prediction_trace").play(answer, case))} for case in few("prediction_trace", SEED)]
        with peer([{"finding": None}, *results, {"end": True}]) as session:
            what = notebooks._examined(session, "prediction_trace", "prediction_trace", SEED).finding.what
        assert what.startswith("your function changed its input rnn (") and said in what


def _spoil(args):
    """Change the first number that lies in the arguments, in place; that of a model where there is no other."""
    for arg in sorted(args, key=lambda arg: isinstance(arg, torch.nn.Module)):
        arg = next(arg.parameters()) if isinstance(arg, torch.nn.Module) else arg
        if isinstance(arg, torch.Tensor):
            with torch.no_grad():
                arg.view(-1)[0] = 7
            return True
        if isinstance(arg, (list, tuple)):
            if isinstance(arg[0], (int, float)):
                arg[0] = 7.5
                return True
            if _spoil(arg):
                return True
    return False


class TestOneRuleForTensors:
    MADE = {
        "sparse tensor": lambda tensor: tensor.to_sparse(),
        "quantized tensor": lambda tensor: torch.quantize_per_tensor(tensor.detach().float(), 0.01, 0, torch.qint8),
        "nested tensor": lambda tensor: torch.nested.nested_tensor([tensor.detach()]),
        "tensor of an unusual dtype": lambda tensor: tensor.detach().to(torch.float8_e5m2),
        "torch.complex64": lambda tensor: tensor + 0j,
        "meta": lambda tensor: tensor.to("meta"),
        "torch.float16": lambda tensor: tensor.half(),
    }

    @pytest.mark.parametrize("name", [name for name in NAMES if name != "train_epoch"])
    @pytest.mark.parametrize("said", MADE)
    def test_any_other_is_wrong_and_named(self, name, said):
        """A student may well return one: it is refused with a word of help, and not as tampering."""
        right = importlib.import_module(f"answers.{name}").RIGHT[0]
        answer = by(self.MADE[said])(right)
        results = [{"result": sent(exercises.find(name).play(answer, case))} for case in few(name, SEED)[:1]]
        rest = [{"result": sent(exercises.find(name).play(right, case))} for case in few(name, SEED)[1:]]
        with peer([{"finding": None}, *results, *rest, {"end": True}]) as session:
            finding = notebooks._examined(session, name, name, SEED).finding
        assert finding.outcome == "wrong" and said in finding.what

    @pytest.mark.parametrize("name", [name for name in NAMES if name != "train_epoch"])
    @pytest.mark.parametrize("said", MADE)
    def test_the_second_call_is_held_to_it_too(self, name, said):
        right, calls = importlib.import_module(f"answers.{name}").RIGHT[0], []

        def answer(*args):
            calls.append(1)
            return changed(right(*args), self.MADE[said] if len(calls) == 2 else lambda tensor: tensor)

        results = [{"result": sent(exercises.find(name).play(answer, case))} for case in few(name, SEED)]
        with peer([{"finding": None}, *results, {"end": True}]) as session:
            assert "a second call" in notebooks._examined(session, name, name, SEED).finding.what


class TestForgiving:
    def test_only_by_the_case(self):
        """Cases whose numbers count forgive nothing, whatever is said."""
        for name in NAMES:
            every = exercises.find(name).cases(SEED)
            forgiving = [case for case in every if case.forgives({"type": "RuntimeError", "message": "".join((*NO_DATA, *FLOAT32_LAYER)), "own": False})]
            assert all(case.forgive and ("float64" in case.title or "meta" in case.title) for case in forgiving)
            assert len(every) - len(forgiving) >= 5 and len(forgiving) == len([case for case in every if case.forgive])

    @pytest.mark.parametrize("name", ["rnn_step", "output_layer", "to_probs", "init_hidden", "run_sequence"])
    @pytest.mark.parametrize("kind", [RuntimeError, NotImplementedError, TypeError, ValueError, KeyError, type("RuntimeError", (Exception,), {})])
    def test_magic_words_forgive_nothing(self, name, kind):
        """All of them in an error of one's own, where PyTorch would raise one."""
        right = importlib.import_module(f"answers.{name}").RIGHT[0]

        def answer(*args):
            if any(isinstance(arg, torch.Tensor) and (arg.is_meta or arg.dtype == torch.float64) for arg in args):
                raise kind(" ".join((*NO_DATA, *FLOAT32_LAYER)))
            return right(*args)

        assert examine.examine(exercises.find(name), answer, SEED).finding.outcome == "raised"

    def test_where_pytorch_raises_it_an_error_is_forgiven(self):
        case = next(case for case in few("rnn_step", SEED) if case.args["x"].is_meta)
        result = exercises.find("rnn_step").play(lambda x, *rest: torch.zeros(x.shape).copy_(x), case)
        assert case.forgives(result.error) and not case.forgives({**result.error, "type": "ValueError"}) and not case.forgives({**result.error, "own": True})

    def test_no_case_forgives_one_that_was_stopped(self):
        assert not [
            case for name in NAMES for case in exercises.find(name).cases(SEED) if case.forgives({"type": "TooSlow", "message": "no data", "own": False})
        ]


class TestHiddenCases:
    JOB = {"seed": 7, "student": "ada", "unit": "pipeline", "lesson": "03_cell_step", "cells": [{"source": "1"}], "files": {"a.txt": "eA=="}}

    @pytest.mark.parametrize(
        "change", [{"seed": 8}, {"student": "bob"}, {"lesson": "04"}, {"cells": []}, {"files": {}}, {"files": {"a.txt": "eQ=="}}, {"files": {"b": "eA=="}}]
    )
    def test_another_hand_in_has_other_cases(self, change):
        assert notebooks.seed_of(self.JOB) != notebooks.seed_of({**self.JOB, **change})
        assert notebooks.seed_of(self.JOB) == notebooks.seed_of({**self.JOB, "limits": {"play_seconds": 1}, "confined": False, "prelude": [""]})

    def test_their_numbers_come_back_rounded(self):
        def rnn_step(x, h, *rest):
            print("looked at", x)
            return importlib.import_module("answers.rnn_step").RIGHT[0](x, h, *rest) + 0.0001

        verdict = examine.examine(exercises.find("rnn_step"), rnn_step, SEED)
        seen, unseen = report.text(verdict), report.text(verdict, unseen=True)
        assert "looked at" in seen and re.search(r"\d\.\d{5}", seen)
        assert "looked at" not in unseen and not re.search(r"\d\.\d{3}", unseen.split("target")[1]) and "rounded to 2 digits" in unseen


class TestWhose:
    """Questions with numbers of a student's own: the id that a notebook says is theirs comes out of the session."""

    LESSON, OWN = "09_model_quiz", ["ada01", "ada@uni.org", "4711"]
    SHAPES = 4

    def right_for(self, who):
        given = quiz._variant(sealed.question(self.LESSON, self.SHAPES), self.LESSON, self.SHAPES, who)["given"]
        return 2 * given["L"], given["B"], given["H"]

    def asked(self, answer, who):
        """(passed, verdict) where the session sends this answer, and this value for the student's id."""
        call = {"kind": "quiz", "name": self.LESSON, "variable": "answer_4", "number": self.SHAPES, "who": "student"}
        job = {"student": "Ada01", "aliases": self.OWN, "seed": 1, "files": {}, "cells": [{"type": "code", "id": "q", "call": call}]}
        notebook = notebooks._Notebook(job, None)
        notebook.place = 0
        with peer([{"value": answer}], [who]) as session:
            verdict = notebook._judge(session, call)[1]
        return verdict["outcome"] == "passed", verdict

    @pytest.mark.parametrize("who", OWN)
    @pytest.mark.parametrize("typed", ["", None, "ada01", " ADA@uni.org ", "4711", 4711, "ben"])
    def test_an_id_of_ones_own_is_right_whatever_is_typed(self, who, typed):
        assert self.asked(self.right_for(who), {"value": typed})[0]

    def test_a_forged_id_earns_nothing_beyond_ones_own(self):
        """Of every known variant, whatever the session calls itself, the ones that pass are those of the student's own ids."""
        own, tried = {self.right_for(who) for who in self.OWN}, set()
        for number in range(120):
            who = f"somebody{number}"
            answer = self.right_for(who)
            if answer in tried:
                continue
            tried.add(answer)
            passed, verdict = self.asked(answer, {"value": who})
            assert passed == (answer in own)
            assert passed or (verdict["typed"], verdict["mistake"]) == (who, "answered for an id that is not their own")
        assert len(tried) > 25 > len(own)

    @pytest.mark.parametrize(
        "forged",
        [
            {"value": ["ada01"]},
            {"value": {"ada01": 1}},
            {"value": True},
            {"value": "x" * 10_000},
            {"value": torch.ones(3)},
            {"missing": True},
            {"not plain": "an object"},
        ],
    )
    def test_no_id_of_another_kind_passes(self, forged):
        answer = next(answer for answer in (self.right_for(f"somebody{n}") for n in range(99)) if answer not in {self.right_for(who) for who in self.OWN})
        assert not self.asked(answer, forged)[0]

    def test_what_is_no_value_ends_the_session(self):
        with pytest.raises(Lost, match="no value"):
            self.asked((1, 2, 3), {"value": "ada01", "passed": True})

    def test_aliases_draw_no_hidden_cases_anew(self):
        call = {"kind": "quiz", "name": "a", "variable": "b", "number": 1}
        job = {**TestHiddenCases.JOB, "cells": [{"source": "1"}, {"call": call}]}
        later = {**job, "aliases": self.OWN, "cells": [{"source": "1"}, {"call": {**call, "who": "student"}}]}
        before = int(journal.digest({name: value for name, value in job.items() if name not in notebooks.HOW})[:10], 16)
        assert notebooks.seed_of(job) == notebooks.seed_of(later) == before

    def test_only_where_numbers_differ_a_result_depends_on_them(self):
        assert whose.depends([{"kind": "quiz", "name": self.LESSON, "number": number} for number in (1, self.SHAPES)])
        assert not whose.depends([{"kind": "quiz", "name": self.LESSON, "number": 1}, {"kind": "check", "name": "rnn_step", "number": None}])


class TestWhoIsWho:
    PEOPLE = [
        Person("ada01", email="Ada@Uni.org", ids={"canvas_id": "4711"}),
        Person("ben02", email="ben@uni.org"),
        Person("ben", email="ben@other.org", ids={"canvas_id": "7"}),
    ]

    @pytest.mark.parametrize("folder", ["ada01", "ADA01", "ada", "ada@uni.org", "4711"])
    def test_every_id_of_the_roster_is_theirs(self, folder):
        known = whose.Class(self.PEOPLE, [folder])
        assert {*known.aliases(folder)} == {"ada01", "ada@uni.org", "ada", "4711"} and known.aliases(folder)[0] == folder.casefold()

    def test_what_two_could_mean_is_neithers(self):
        """The part before the @ of two e-mails is the id of one of them."""
        known = whose.Class(self.PEOPLE, ["ben", "ben02"])
        assert {*known.aliases("ben02")} == {"ben02", "ben@uni.org"} and {*known.aliases("ben")} == {"ben", "ben@other.org", "7"}
        assert (known.owner("ben"), known.owner("ben@uni.org"), known.owner("nobody")) == ("ben", "ben02", "")

    def test_without_a_roster_it_is_the_folders_name(self):
        known = whose.Class([], ["ada@uni.org", "Ben", "ada@other.org", "ada"])
        assert known.aliases("Ben") == ["ben"] and known.aliases("ada@uni.org") == ["ada@uni.org"]
        assert whose.Class([], ["ada@uni.org"]).aliases("ada@uni.org") == ["ada@uni.org", "ada"]

    @pytest.mark.parametrize("value, said", [(" Ada ", "ada"), (4711, "4711"), (True, ""), (None, ""), (["ada"], ""), (1.5, ""), ("", "")])
    def test_what_counts_as_an_id(self, value, said):
        assert whose.typed(value) == said


def test_every_field_is_in_the_table_of_the_border():
    """docs/architecture-border.md says of each part of each message who says it and whether it is believed."""
    table = DOC.read_text(encoding="utf-8")
    fields = {*Result.__dataclass_fields__, *trust.PACKED, *trust.FINISHED, *trust.ERROR, "finding", "end", "length", "keys", "left_out", "student"}
    assert not [field for field in sorted(fields) if f"`{field}`" not in table]
    assert set(DERIVED) == {"changed"}
