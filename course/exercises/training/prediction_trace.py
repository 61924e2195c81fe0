"""Lesson 08, Build. prediction_trace(rnn, out, x): one prediction, stage by stage.

rnn: nn.RNN, nn.GRU or nn.LSTM; out: nn.Linear; x (T, 1, F) -> a dict in this order: `input`, x at t=1 (1, F); `cell`, h at
t=1 (1, H); `carried`, h at t=T (1, H); `logits` (1, C); `probs` (1, C). Of several layers, h is that of the top one. No graph
is kept, and both layers are left as they were.
"""

from torch import nn

from course.checks.case import LEARNS, WORKED, Case, Finding, in_float64
from course.checks.judge import compare
from course.checks.oracles import LONG, make_out, make_rnn, network, normal, rng, size
from course.checks.play import call
from course.exercises.words import of_an_lstm
from course.networks import example

KEYS = ("input", "cell", "carried", "logits", "probs")
HINTS = [
    "rnn(x) gives the states at every time step as its first value, (T, 1, H). Which two of them does the trace show?",
    "Time is the first axis and counts from 0: t=1 stands at index 0, t=T at index -1. The state at t=T goes into out, and its logits go into softmax.",
    "Run it all inside `with torch.no_grad():`, so that no graph is kept. An index without a colon takes the time axis away: (T, 1, H) becomes (1, H).",
]


def oracle(rnn, out, x):
    states = _states(rnn, x)
    logits = make_out(out)(states[-1])
    return dict(zip(KEYS, (x[0], states[0], states[-1], logits, nn.Softmax(-1)(logits))))


def _states(rnn, x):
    return make_rnn(rnn)(x)[0]


def _all_layers(rnn, x):
    """The last state h of every layer, (layers, 1, H)."""
    state = make_rnn(rnn)(x)[1]
    return state[0] if rnn["kind"] == "lstm" else state


def _memory(rnn, x):
    """The second state of an LSTM, c, of its top layer, after x."""
    if rnn["kind"] != "lstm":
        raise ValueError("only an LSTM has two states")
    return make_rnn(rnn)(x)[1][1][-1]


def _instead(change):
    """The right trace with some of its values replaced: change(right, rnn, out, x) -> {key: value}."""

    def mistaken(rnn, out, x):
        right = oracle(rnn, out, x)
        return {**right, **change(right, rnn, out, x)}

    return mistaken


def _from_state(state):
    """A trace whose logits and probabilities are made from another state(right, rnn, x)."""

    def change(right, rnn, out, x):
        logits = make_out(out)(state(right, rnn, x))
        return {"logits": logits, "probs": logits.softmax(-1)}

    return _instead(change)


def _ends_at(state):
    """A trace that takes another state(right, rnn, x) for h at t=T, and goes on with it."""

    def change(right, rnn, out, x):
        return {"carried": state(right, rnn, x), **_pick(_from_state(state)(rnn, out, x), "logits", "probs")}

    return _instead(change)


def _pick(trace, *keys):
    return {key: trace[key] for key in keys}


TOO_MANY = "an axis too many: h_n is (layers, batch, hidden), and its last layer is (batch, hidden)"


def _lowest_layer(rnn):
    return {**rnn, "weights": {name: weight for name, weight in rnn["weights"].items() if name.endswith("l0")}}


MISTAKES = {
    "`carried` is h at t=1: that is index 0, and t=T is index -1": _ends_at(lambda right, rnn, x: right["cell"]),
    "`carried` holds h at t=1, the same as `cell`": _instead(lambda right, *_: {"carried": right["cell"]}),
    "`cell` holds h at t=T, the same as `carried`": _instead(lambda right, *_: {"cell": right["carried"]}),
    "`cell` and `carried` are swapped": _instead(lambda right, *_: {"cell": right["carried"], "carried": right["cell"]}),
    "`cell` is h at t=2: that is index 1, and t=1 is index 0": _instead(lambda right, rnn, out, x: {"cell": _states(rnn, x)[1]}),
    "`input` is x at t=T": _instead(lambda right, rnn, out, x: {"input": x[-1]}),
    "`input` is x at t=2: that is index 1, and t=1 is index 0": _instead(lambda right, rnn, out, x: {"input": x[1]}),
    "`input` is the whole sequence": _instead(lambda right, rnn, out, x: {"input": x}),
    "`input` is x[:, 0]: time is the first axis, so this is the whole sequence": _instead(lambda right, rnn, out, x: {"input": x[:, 0]}),
    "the logits are made from h at t=1": _from_state(lambda right, rnn, x: right["cell"]),
    "the logits are made from the mean of the states": _from_state(lambda right, rnn, x: _states(rnn, x).mean(0)),
    "`probs` are the logits: softmax is missing": _instead(lambda right, *_: {"probs": right["logits"]}),
    "`logits` are the probabilities: softmax came too early": _instead(lambda right, *_: {"logits": right["probs"]}),
    "`logits` and `probs` are swapped": _instead(lambda right, *_: {"logits": right["probs"], "probs": right["logits"]}),
    "softmax runs over the batch, dim 0: with a batch of one, every class gets probability 1": (
        _instead(lambda right, *_: {"probs": right["logits"].softmax(0)})
    ),
    "softmax is applied twice": _instead(lambda right, *_: {"probs": right["probs"].softmax(-1)}),
    "`logits` are the probabilities, and softmax is applied to them again": (
        _instead(lambda right, *_: {"logits": right["probs"], "probs": right["probs"].softmax(-1)})
    ),
    "log_softmax was taken: these are logarithms": _instead(lambda right, *_: {"probs": right["logits"].log_softmax(-1)}),
    "the sigmoid was taken: the numbers do not sum to 1": _instead(lambda right, *_: {"probs": right["logits"].sigmoid()}),
    "`carried` is the memory c of the LSTM, and not its state h. An LSTM returns (h, c)": (_instead(lambda right, rnn, out, x: {"carried": _memory(rnn, x)})),
    "the memory c of the LSTM is taken for its state h. An LSTM returns (h, c)": _ends_at(lambda right, rnn, x: _memory(rnn, x)),
    "`cell` is the memory c of the LSTM, and not its state h. An LSTM returns (h, c)": (_instead(lambda right, rnn, out, x: {"cell": _memory(rnn, x[:1])})),
    "`carried` is the state of the lowest layer; the top one is the last": (
        _instead(lambda right, rnn, out, x: {"carried": _states(_lowest_layer(rnn), x)[-1]})
    ),
    "the state of the lowest layer is carried on; the top one is the last": (_ends_at(lambda right, rnn, x: _states(_lowest_layer(rnn), x)[-1])),
    "`cell` is the state of the lowest layer; the top one is the last": (_instead(lambda right, rnn, out, x: {"cell": _states(_lowest_layer(rnn), x)[0]})),
    "an axis too many: h_n is (layers, batch, hidden)": _instead(lambda right, rnn, out, x: {"carried": _all_layers(rnn, x)}),
    "an axis too many: x[:1] keeps the time axis, x[0] takes it away": _instead(lambda right, *_: {"input": right["input"].unsqueeze(0)}),
    "the batch axis is gone: an index too many, or squeeze": _instead(lambda right, *_: {key: value[0] for key, value in right.items()}),
    "the sequence is read from its end": lambda rnn, out, x: oracle(rnn, out, x.flip(0)),
    "every step starts from a state of zeros: the state is not passed on": _ends_at(lambda right, rnn, x: _states(rnn, x[-1:])[-1]),
}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 6, 7)

    def draw(steps, features, hidden, classes, kind="rnn", **settings):
        return {**network(g, features, hidden, classes, kind, **settings), "x": normal(g, steps, 1, features)}

    worked = {"rnn": _plain(example.rnn(), "rnn"), "out": _plain(example.out()), "x": example.sequence()}
    return [
        Case("the worked example, 10 steps", worked, WORKED),
        Case(f"{b} steps, {c} features, hidden {b}, {a} classes", draw(b, c, b, a)),
        Case(f"{c + 12} steps, in training mode", draw(c + 12, a, b, 3, training=True)),
        Case("a GRU", draw(b, a, c, 3, "gru")),
        Case("an LSTM, whose state is h and not c", draw(c, b, a, 3, "lstm", training=True)),
        Case("two layers: the state is that of the top one", draw(b, a, c, 3, layers=2)),
        Case("three layers of an LSTM: the state is that of the top one", draw(b, c, b, 3, "lstm", layers=3)),
        Case("one step", draw(1, b, c, a, "gru")),
        Case("an x that may learn", {**draw(b, a, c, 3), "learns": ("x",)}),
        Case(f"{LONG} steps, under torch.no_grad()", {**draw(LONG, a, b, 3), "learns": ()}),
        Case(f"steps, features, hidden and classes all {b}", draw(b, b, b, b)),
        in_float64("float64", draw(b, a, c, 3)),
    ]


def _plain(layer, kind=None):
    weights = {name: weight.detach() for name, weight in layer.named_parameters()}
    return {"kind": kind, "training": False, "weights": weights}


def play(answer, case):
    def bind(args):
        return [make_rnn(args["rnn"]), make_out(args["out"]), args["x"].requires_grad_("x" in case.args.get(LEARNS, ()))]

    return call(answer, case, bind=bind)


def judge(case, result):
    finding = compare(case, result, oracle, names=KEYS, kind="dict") or (None if result.error else _graph_kept(case, result))
    if finding and "should have 2 axes" in finding.what and "yours has 3" in finding.what:
        finding.cause = TOO_MANY
    return finding and of_an_lstm(finding, case, result)


def _graph_kept(case, result):
    for key, item in zip(result.value["keys"], result.value["items"]):
        if item["requires_grad"]:
            return Finding(
                "wrong",
                f"{key} has the right numbers, but keeps the graph of the whole run alive (requires_grad is True)",
                case.title,
                cause="a trace is for looking, not for learning: run it inside torch.no_grad(), or detach what you keep",
            )
    return None
