"""Modules in the style of public code: right ones of every family, and a broken twin of each.

`RIGHT` and `BROKEN` hold a `Kind` each: how the module is made, and what the laws are to say of it. `silent` are the laws that do not apply.
"""

import weakref
from collections import namedtuple

import torch
from laws import second
from laws.kind import HEAD, LEAK, NAMES, ONE_WAY, Kind
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, weight_norm

from course import laws


class Around(nn.Module):
    """A layer that is not told about."""

    def __init__(self, layer=None):
        super().__init__()
        self.layer = nn.RNN(5, 4) if layer is None else layer

    def forward(self, x, h=None):
        return self.layer(x, h)


class Batched(Around):
    batch_first, input_size = True, 5


# Families of layers, with the broken twin under each.


class Head(Batched):
    """A head at every step."""

    def __init__(self):
        super().__init__(nn.GRU(5, 4, batch_first=True))
        self.out = nn.Linear(4, 3)

    def forward(self, x, h=None):
        outputs, h = self.layer(x, h)
        return self.out(outputs), h


class HeadStartsAnew(Head):
    def forward(self, x, h=None):
        return super().forward(x, None if h is None else h * 0)


class SquareHead(Head):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 4)


class Classifier(Head):
    """One answer for a sequence."""

    def forward(self, x, h=None):
        outputs, h = self.layer(x, h)
        return self.out(outputs[:, -1]), h


class ClassifierOfTheFirstStep(Head):
    def forward(self, x, h=None):
        outputs, h = self.layer(x, h)
        return self.out(outputs[:, 0]), h


class Tokens(nn.Module):
    batch_first = True

    def __init__(self):
        super().__init__()
        self.embed, self.layer, self.out = nn.Embedding(11, 6), nn.LSTM(6, 4, batch_first=True), nn.Linear(4, 11)

    def forward(self, tokens, state=None):
        outputs, state = self.layer(self.embed(tokens), state)
        return self.out(outputs), state


class TokensForgetTheCell(Tokens):
    def forward(self, tokens, state=None):
        return super().forward(tokens, state and (state[0], torch.zeros_like(state[1])))


class ConvLSTM(nn.Module):
    """x (B, T, C, H, W), state a list of layers, (h, c) each (B, C, H, W)."""

    batch_first, alone = True, True

    def __init__(self):
        super().__init__()
        self.gates = nn.Conv2d(2 + 3, 4 * 3, 3, padding=1)

    def forward(self, x, state=None):
        h, c = state[0] if state is not None else (x.new_zeros(x.shape[0], 3, *x.shape[3:]),) * 2
        outputs = []
        for t in range(x.shape[1]):
            i, f, o, g = self.gates(torch.cat([x[:, t], h if self.alone else h + 0.1 * h.mean(0, keepdim=True)], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1), [(h, c)]


class ConvLSTMMixesRows(ConvLSTM):
    alone = False


def images(make):
    return lambda: laws.on(make(), inputs=lambda batch, steps: torch.randn(batch, steps, 2, 4, 5))


class DiagonalSSM(nn.Module):
    """x (B, T, D), state (B, D, N); the output is read from it."""

    batch_first, input_size, gain = True, 5, 1.0

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Parameter(torch.rand(5, 3)), nn.Parameter(torch.randn(5, 3)), nn.Parameter(torch.randn(5, 3))

    def forward(self, x, state=None):
        state = x.new_zeros(x.shape[0], 5, 3) if state is None else state * self.gain
        outputs = []
        for x_t in x.unbind(1):
            state = torch.exp(-self.a) * state + self.b * x_t[..., None]
            outputs.append((self.c * state).sum(-1))
        return torch.stack(outputs, 1), state


class DiagonalSSMHalvesWhatItIsGiven(DiagonalSSM):
    gain = 0.5


class Mamba(nn.Module):
    """A short convolution and a selective scan: the state is a dict of both."""

    batch_first, input_size, keeps_conv = True, 5, True

    def __init__(self):
        super().__init__()
        self.conv, self.dt, self.bc, self.a = nn.Conv1d(5, 5, 3, groups=5), nn.Linear(5, 5), nn.Linear(5, 6), nn.Parameter(torch.rand(5, 3))

    def forward(self, x, cache=None):
        if cache is None:
            cache = {"conv": x.new_zeros(x.shape[0], 5, 2), "ssm": x.new_zeros(x.shape[0], 5, 3)}
        window = torch.cat([cache["conv"] if self.keeps_conv else 0 * cache["conv"], x.transpose(1, 2)], -1)
        u, state, outputs = F.silu(self.conv(window)).transpose(1, 2), cache["ssm"], []
        for u_t in u.unbind(1):
            dt, (b, c) = F.softplus(self.dt(u_t))[..., None], self.bc(u_t).chunk(2, -1)
            state = torch.exp(-dt * self.a) * state + dt * b[:, None] * u_t[..., None]
            outputs.append((state * c[:, None]).sum(-1))
        return torch.stack(outputs, 1), {"conv": window[..., -2:], "ssm": state}


class MambaDropsItsWindow(Mamba):
    keeps_conv = False


def _g(x):
    return torch.where(x >= 0, x + 0.5, x.sigmoid())


def _log_g(x):
    return torch.where(x >= 0, (F.relu(x) + 0.5).log(), -F.softplus(-x))


class MinGRU(nn.Module):
    """The parallel form in logarithms; state (B, 1, H)."""

    batch_first, input_size, carries = True, 5, True

    def __init__(self):
        super().__init__()
        self.gate, self.new = nn.Linear(5, 4), nn.Linear(5, 4)

    def forward(self, x, h=None):
        gate, new = self.gate(x), self.new(x)
        log_keep, log_values = -F.softplus(gate), -F.softplus(-gate) + _log_g(new)
        if h is not None and self.carries:
            log_values, log_keep = torch.cat([h.log(), log_values], 1), F.pad(log_keep, (0, 0, 1, 0))
        total = log_keep.cumsum(1)
        outputs = (total + (log_values - total).logcumsumexp(1)).exp()[:, -x.shape[1] :]
        return outputs, outputs[:, -1:]


class MinGRUForgets(MinGRU):
    carries = False


class LayersSecond(nn.Module):
    """State (B, L, H)."""

    batch_first, input_size = True, 5

    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.GRUCell(5, 4), nn.GRUCell(4, 4)])

    def first(self, x, state):
        return x.new_zeros(x.shape[0], 2, 4) if state is None else state

    def forward(self, x, state=None):
        hs, outputs = list(self.first(x, state).unbind(1)), []
        for y in x.unbind(1):
            for i, cell in enumerate(self.cells):
                y = hs[i] = cell(y, hs[i])
            outputs.append(y)
        return torch.stack(outputs, 1), torch.stack(hs, 1)


class LayersSecondUpsideDown(LayersSecond):
    def first(self, x, state):
        return super().first(x, state if state is None else state.flip(1))


class Loop(nn.Module):
    """A cell in a loop, state (B, H): what most courses write."""

    input_size = 5

    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(5, 4)

    def first(self, x, h):
        return x.new_zeros(x.shape[1], 4) if h is None else h

    def between(self, h, t):
        return h

    def forward(self, x, h=None):
        h, outputs = self.first(x, h), []
        for t, x_t in enumerate(x):
            h = self.cell(x_t, self.between(h, t))
            outputs.append(h)
        return torch.stack(outputs), h


class LoopDetachesEachStep(Loop):
    def forward(self, x, h=None):
        h, outputs = self.first(x, h), []
        for x_t in x:
            new = self.cell(x_t, h)
            outputs.append(new)
            h = new.detach()
        return torch.stack(outputs), new


class LoopDetachesAtStepTen(Loop):
    def between(self, h, t):
        return h.detach() if t == 10 else h


class LoopDetachesHalf(Loop):
    def between(self, h, t):
        return torch.cat([h[:, :2].detach(), h[:, 2:]], 1)


class LoopResetsAtStepNine(Loop):
    def between(self, h, t):
        return h * 0 if t == 9 else h


class LoopCutsInTraining(Loop):
    def between(self, h, t):
        return h.detach() if self.training else h


class LoopStartsFromTheMean(Loop):
    def first(self, x, h):
        return super().first(x, h if h is None else h.mean(0).expand_as(h))


class LoopOfThree(Loop):
    def first(self, x, h):
        return torch.zeros(3, 4) if h is None else h


class LoopWritesIntoItsZeros(Loop):
    def forward(self, x, h=None):
        if h is None:
            if getattr(self, "zeros", torch.empty(0)).shape != (x.shape[1], 4):
                self.zeros = torch.zeros(x.shape[1], 4)
            h = self.zeros
        outputs = []
        for x_t in x:
            with torch.no_grad():
                h.copy_(self.cell(x_t, h))
            outputs.append(h.clone())
        return torch.stack(outputs), h.clone()


class Window(nn.Module):
    """A streaming detector: a causal convolution, whose state is what the next call has to see again."""

    batch_first, input_size, taken = True, 5, slice(-3, None)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(5, 2, 4)

    def forward(self, x, state=None):
        before = x.new_zeros(x.shape[0], 3, 5) if state is None else state
        window = torch.cat([before, x], 1)
        return self.conv(window.transpose(1, 2)).transpose(1, 2).sigmoid(), window[:, self.taken]


class WindowOneStepLate(Window):
    taken = slice(-4, -1)


class Cache:
    """As a `transformers` cache: written to in place, with a count of what it has seen."""

    def __init__(self):
        self.keys, self.values, self.seen = None, None, 0

    def update(self, keys, values):
        self.keys = keys if self.keys is None else torch.cat([self.keys, keys], 1)
        self.values = values if self.values is None else torch.cat([self.values, values], 1)
        self.seen += keys.shape[1]
        return self.keys, self.values


class Attention(nn.Module):
    """A causal attention over tokens, with places and a cache."""

    batch_first, counts = True, True

    def __init__(self):
        super().__init__()
        self.embed, self.places, self.qkv = nn.Embedding(11, 6), nn.Embedding(64, 6), nn.Linear(6, 18)

    def forward(self, tokens, past_key_values=None):
        cache = Cache() if past_key_values is None else past_key_values
        seen, steps = (cache.seen if self.counts else 0), tokens.shape[1]
        q, k, v = self.qkv(self.embed(tokens) + self.places(torch.arange(seen, seen + steps))).chunk(3, -1)
        k, v = cache.update(k, v)
        hidden = torch.arange(k.shape[1])[None] > torch.arange(k.shape[1] - steps, k.shape[1])[:, None]
        scores = (q @ k.transpose(1, 2) / 6**0.5).masked_fill(hidden, -torch.inf)
        return scores.softmax(-1) @ v, cache


class AttentionLosesItsPlace(Attention):
    counts = False


class LinearAttention(nn.Module):
    """A sum and its normaliser, as a named tuple in a tuple."""

    batch_first, input_size, both = True, 5, True
    Sums = namedtuple("Sums", "kv norm")

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(5, 12)

    def forward(self, x, state=None):
        q, k, v = self.qkv(x).chunk(3, -1)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        kv, norm = (x.new_zeros(x.shape[0], 4, 4), x.new_zeros(x.shape[0], 4)) if state is None else state[0]
        kv = kv[:, None] + (k[..., None] * v[..., None, :]).cumsum(1)
        norm = (norm[:, None] if self.both else 0) + k.cumsum(1)
        outputs = (q[..., None, :] @ kv)[..., 0, :] / ((q * norm).sum(-1, keepdim=True) + 1e-6)
        return outputs, (self.Sums(kv[:, -1], norm[:, -1]), None)


class LinearAttentionForgetsItsNorm(LinearAttention):
    both = False


class LearnedStart(Around):
    def __init__(self):
        super().__init__()
        self.start = nn.Parameter(torch.linspace(-0.5, 0.5, 4))

    def forward(self, x, h=None):
        return self.layer(x, self.start.expand(1, x.shape[1], 4).contiguous() if h is None else h)


class LearnedStartEachTime(LearnedStart):
    def forward(self, x, h=None):
        return super().forward(x, None)


class Small(Around):
    """Weights so small that nothing is ever above a millionth."""

    def __init__(self):
        super().__init__()
        for part in self.parameters():
            part.data *= 1e-6


class SmallStartsFromSomething(Small):
    def forward(self, x, h=None):
        return self.layer(x, torch.full((1, x.shape[1], 4), 1e-3) if h is None else h)


class Loud(Around):
    """Outputs in the ten thousands."""

    def forward(self, x, h=None):
        outputs, h_n = self.layer(x * 1e3, None if h is None else h / 1e4)
        return outputs * 1e4, h_n * 1e4


class LoudAndLate(Loud):
    def forward(self, x, h=None):
        outputs, h_n = super().forward(x, h)
        return outputs, h_n if len(x) == 1 else outputs[-2:-1]


class NoState(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(5, 4)

    def forward(self, x, h=None):
        return self.out(x), None


class NotUsed(Around):
    def forward(self, x, h=None):
        return torch.tanh(x[..., :4]), torch.zeros(1, x.shape[1], 4)


class Plain:
    """No nn.Module."""

    input_size = 5

    def __init__(self):
        self.layer, self.h = nn.RNN(5, 4), None

    def __call__(self, x, h=None):
        return self.layer(x, h)


class Dropping(Around):
    def __init__(self):
        super().__init__(nn.GRU(5, 4, num_layers=2, dropout=0.3))
        self.drop = nn.Dropout(0.3)

    def forward(self, x, h=None):
        return self.layer(self.drop(x), h)


class DroppingAlways(Around):
    def forward(self, x, h=None):
        return self.layer(F.dropout(x, 0.3), h)


class Reports(Around):
    """Keeps its last state to be looked at, and never reads it."""

    def forward(self, x, h=None):
        outputs, self.last = self.layer(x, h)
        return outputs, self.last


def spectral():
    layer = nn.RNN(5, 4)
    parametrizations.orthogonal(layer, "weight_hh_l0")
    return layer


def few_relus():
    return nn.RNN(5, 2, nonlinearity="relu")


# One bug, in every place where a state can hide: a call without a state goes on from the last one.


class Leaks(Around):
    def __init__(self):
        super().__init__()
        self.h = None

    def get(self, x):
        return self.h

    def put(self, x, h):
        self.h = h.detach()

    def forward(self, x, h=None):
        if h is None:
            h = self.get(x)
            h = None if h is None or h.shape[1] != x.shape[1] else h
        outputs, h = self.layer(x, h)
        self.put(x, h)
        return outputs, h


class LeaksAndRaises(Leaks):
    """As the lesson has it: another batch raises."""

    def forward(self, x, h=None):
        outputs, h = self.layer(x, self.h if h is None else h)
        self.h = h.detach()
        return outputs, h


class LeaksWithItsGraph(Leaks):
    def put(self, x, h):
        self.h = h


class LeaksInABuffer(Leaks):
    def __init__(self):
        super().__init__()
        del self.h
        self.register_buffer("h", torch.zeros(1, 3, 4))


class LeaksInADict(Leaks):
    def __init__(self):
        super().__init__()
        self.table = {}

    def get(self, x):
        return self.table.get(x.shape[1])

    def put(self, x, h):
        self.table[x.shape[1]] = h.detach()


class LeaksInAWeakTable(LeaksInADict):
    tables = weakref.WeakKeyDictionary()

    def get(self, x):
        return self.tables.get(self)

    def put(self, x, h):
        self.tables[self] = h.detach()


KEPT = {}


class LeaksInAGlobal(Leaks):
    def get(self, x):
        return KEPT.get("h")

    def put(self, x, h):
        KEPT["h"] = h.detach()


class PlainLeaks(Plain):
    def __call__(self, x, h=None):
        h = self.h if h is None and self.h is not None and self.h.shape[1] == x.shape[1] else h
        outputs, h = self.layer(x, h)
        self.h = h.detach()
        return outputs, h


class KeepsItsOwn(Leaks):
    """Whatever it is given."""

    def forward(self, x, h=None):
        return super().forward(x, None)


class NotTurnedBack(Batched):
    def forward(self, x, h=None):
        return self.layer(x.transpose(0, 1), h)


class Late(Around):
    def forward(self, x, h=None):
        outputs, h_n = self.layer(x, h)
        return outputs, h_n if len(x) == 1 else outputs[-2:-1]


class Shifted(Around):
    def __init__(self):
        super().__init__(nn.RNN(5, 4, bidirectional=True))

    def forward(self, x, h=None):
        outputs, h_n = self.layer(x, h)
        return outputs, h_n / 2


RIGHT = {
    "nn.RNN": Kind(lambda: nn.RNN(5, 4)),
    "nn.GRU, two layers": Kind(lambda: nn.GRU(5, 4, 2)),
    "nn.LSTM, batch_first": Kind(lambda: nn.LSTM(5, 4, batch_first=True)),
    "nn.LSTM with projections": Kind(lambda: nn.LSTM(5, 4, proj_size=2)),
    "nn.RNN, two ReLU units": Kind(few_relus),
    "nn.GRU, bidirectional": Kind(lambda: nn.GRU(5, 4, bidirectional=True), silent=ONE_WAY),
    "nn.GRU in bfloat16": Kind(lambda: nn.GRU(5, 4).bfloat16()),
    "nn.LSTM with weight_norm": Kind(lambda: weight_norm(nn.LSTM(5, 4), "weight_hh_l0")),
    "nn.RNN, orthogonal by parametrisation": Kind(spectral),
    "a loop over nn.RNNCell": Kind(Loop),
    "a head at every step": Kind(Head, silent=HEAD),
    "a head as wide as the state": Kind(SquareHead, silent=HEAD),
    "one answer for a sequence": Kind(Classifier, silent=HEAD),
    "embedding, LSTM, head": Kind(Tokens, silent=HEAD),
    "ConvLSTM": Kind(images(ConvLSTM)),
    "diagonal SSM": Kind(DiagonalSSM, silent=HEAD),
    "Mamba-like": Kind(Mamba, silent=HEAD),
    "minGRU, in logarithms": Kind(MinGRU),
    "state (B, L, H)": Kind(LayersSecond),
    "streaming convolution": Kind(Window, silent=HEAD),
    "attention with a cache": Kind(Attention, silent="reset last-valid"),
    "linear attention": Kind(LinearAttention, silent=HEAD),
    "learned start": Kind(LearnedStart, silent="zero"),
    "weights of a millionth": Kind(Small),
    "outputs in the ten thousands": Kind(Loud),
    "no state": Kind(NoState, silent=" ".join(name.removesuffix(" law") for name in NAMES)),
    "a plain class": Kind(Plain),
    "dropout in training": Kind(Dropping),
    "keeps its state to be looked at": Kind(Reports),
    **second.RIGHT,
}
ALL = " ".join(name.removesuffix(" law") for name in NAMES)
BROKEN = {
    "leaks": Kind(Leaks, LEAK),
    "leaks, and raises for another batch": Kind(LeaksAndRaises, LEAK),
    "leaks with its graph": Kind(LeaksWithItsGraph, LEAK),
    "leaks in a buffer": Kind(LeaksInABuffer, LEAK),
    "leaks in a dict": Kind(LeaksInADict, LEAK),
    "leaks in a weak-keyed table": Kind(LeaksInAWeakTable, LEAK),
    "leaks in a global": Kind(LeaksInAGlobal, LEAK),
    "a plain class that leaks": Kind(PlainLeaks, LEAK),
    "writes into its zeros": Kind(LoopWritesIntoItsZeros, f"{LEAK} cut"),
    "keeps its own state, whatever it is given": Kind(KeepsItsOwn, ALL),
    "detaches at each step": Kind(LoopDetachesEachStep, "cut"),
    "detaches at step ten": Kind(LoopDetachesAtStepTen, "cut"),
    "detaches half of the state": Kind(LoopDetachesHalf, "cut"),
    "cuts in training mode only": Kind(LoopCutsInTraining, "cut"),
    "resets at step nine": Kind(LoopResetsAtStepNine, "step chunk"),
    "starts from the mean of its rows": Kind(LoopStartsFromTheMean, "step chunk row reset"),
    "zeros of a fixed size": Kind(LoopOfThree, "zero"),
    "a head, and starts anew": Kind(HeadStartsAnew, "step chunk cut", HEAD),
    "answers with the first step": Kind(ClassifierOfTheFirstStep, "step chunk", HEAD),
    "embedding, and a cell that is dropped": Kind(TokensForgetTheCell, "step chunk", HEAD),
    "ConvLSTM that mixes rows": Kind(images(ConvLSTMMixesRows), "row reset"),
    "diagonal SSM that halves what it is given": Kind(DiagonalSSMHalvesWhatItIsGiven, "step chunk", HEAD),
    "Mamba-like, drops its window": Kind(MambaDropsItsWindow, "step chunk", HEAD),
    "minGRU that forgets": Kind(MinGRUForgets, "step chunk cut"),
    "state (B, L, H), upside down": Kind(LayersSecondUpsideDown, "step chunk"),
    "streaming convolution, a step late": Kind(WindowOneStepLate, "step chunk", HEAD),
    "attention that loses its place": Kind(AttentionLosesItsPlace, "step chunk", "reset last-valid"),
    "linear attention without its norm": Kind(LinearAttentionForgetsItsNorm, "step chunk last-valid"),
    "learned start, each time": Kind(LearnedStartEachTime, "step chunk cut"),
    "small, and starts from something": Kind(SmallStartsFromSomething, "zero"),
    "loud, and a step late": Kind(LoudAndLate, "chunk last-valid"),
    "a state that is not used": Kind(NotUsed, "cut", HEAD),
    "dropout always": Kind(DroppingAlways, ALL),
    "outputs not turned back": Kind(lambda: NotTurnedBack(nn.RNN(5, 4)), ALL),
    "a step late": Kind(Late, "chunk last-valid"),
    "bidirectional, state halved": Kind(Shifted, "last-valid", "step chunk"),
    **second.BROKEN,
}
