"""More modules in the style of public code: the laws were written without them, and met them afterwards."""

import torch
from laws.kind import HEAD, LEAK, Kind
from torch import nn

from course import laws


class NormedLSTM(nn.Module):
    """Layer norm on the gates and on the cell."""

    input_size = 5

    def __init__(self):
        super().__init__()
        self.x, self.h = nn.Linear(5, 16), nn.Linear(4, 16, bias=False)
        self.gates, self.cell = nn.LayerNorm(16), nn.LayerNorm(4)

    def forward(self, x, state=None):
        h, c = (x.new_zeros(x.shape[1], 4),) * 2 if state is None else state
        outputs = []
        for x_t in x:
            i, f, g, o = self.gates(self.x(x_t) + self.h(self.before(h))).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * self.cell(c).tanh()
            outputs.append(h)
        return torch.stack(outputs), (h, c)

    def before(self, h):
        return h


class NormedLSTMCutsH(NormedLSTM):
    def before(self, h):
        return h.detach()


class RWKV(nn.Module):
    """Two sums and their largest exponent, which begins at minus infinity."""

    batch_first, input_size = True, 4

    def __init__(self):
        super().__init__()
        self.key, self.value = nn.Linear(4, 4), nn.Linear(4, 4)
        self.decay, self.bonus = nn.Parameter(torch.rand(4)), nn.Parameter(torch.rand(4))

    @staticmethod
    def start(batch):
        return torch.zeros(batch, 4), torch.zeros(batch, 4), torch.full((batch, 4), -1e38)

    def forward(self, x, state=None):
        above, below, most = self.start(len(x)) if state is None else state
        outputs = []
        for k, v in zip(self.key(x).unbind(1), self.value(x).unbind(1)):
            top = torch.maximum(most, self.bonus + k)
            old, new = (most - top).exp(), (self.bonus + k - top).exp()
            outputs.append((old * above + new * v) / (old * below + new))
            faded = most - self.decay.exp()
            top = torch.maximum(faded, k)
            old, new = (faded - top).exp(), (k - top).exp()
            above, below, most = old * above + new * v, old * below + new, self.kept(top, most)
        return torch.stack(outputs, 1), (above, below, most)

    def kept(self, now, before):
        return now


class RWKVKeepsTheFirstMost(RWKV):
    """Right in one run from the start, as long as nothing is handed on."""

    def forward(self, x, state=None):
        outputs, (above, below, _) = super().forward(x, state)
        return outputs, (above, below, self.start(len(x))[2])


class ComplexSSM(nn.Module):
    """A diagonal of complex numbers."""

    batch_first, input_size = True, 3

    def __init__(self):
        super().__init__()
        self.turn = nn.Parameter(torch.polar(torch.tensor([0.9, 0.8, 0.95, 0.7]), torch.tensor([0.1, 0.5, 1.0, 2.0])))
        self.into, self.out = nn.Linear(3, 4, bias=False), nn.Linear(8, 2)

    def forward(self, x, h=None):
        h = torch.zeros(len(x), 4, dtype=self.turn.dtype) if h is None else h
        outputs = []
        for u in self.into(x).unbind(1):
            h = self.turn * h + u
            outputs.append(torch.cat([h.real, h.imag], -1))
        return self.out(torch.stack(outputs, 1)), self.handed_on(h)

    def handed_on(self, h):
        return h


class ComplexSSMLosesTheImaginary(ComplexSSM):
    def handed_on(self, h):
        return torch.complex(h.real, torch.zeros_like(h.imag))


class Dilated(nn.Module):
    """Causal convolutions with holes, each with the inputs that it still needs."""

    batch_first, input_size = True, 4

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(4, 4, 2, dilation=2**i) for i in range(3))

    def forward(self, x, buffers=None):
        h, after = x.mT, []
        buffers = [h.new_zeros(len(h), 4, layer.dilation[0]) for layer in self.layers] if buffers is None else buffers
        for layer, buffer in zip(self.layers, buffers):
            whole = torch.cat([buffer, h], -1)
            after.append(whole[..., -self.needed(layer) :])
            h = h + layer(whole).relu()
        return h.mT, after

    def needed(self, layer):
        return layer.dilation[0]


class DilatedKeepsTheOldest(Dilated):
    def forward(self, x, buffers=None):
        outputs, after = super().forward(x, buffers)
        return outputs, [after[0], after[1], torch.zeros_like(after[2])]


class Clockwork(nn.Module):
    """Parts that move at every step, at every second, at every fourth; the state counts the steps."""

    input_size = 4

    def __init__(self):
        super().__init__()
        self.cell = nn.RNNCell(4, 6)

    def forward(self, x, state=None):
        h, t = (x.new_zeros(x.shape[1], 6), 0) if state is None else state
        outputs = []
        for x_t in x:
            moves = torch.tensor([t % every == 0 for every in (1, 1, 2, 2, 4, 4)])
            h, t = torch.where(moves, self.cell(x_t, h), h), t + 1
            outputs.append(h)
        return torch.stack(outputs), (h, self.handed_on(t))

    def handed_on(self, t):
        return t


class ClockworkStandsStill(Clockwork):
    def handed_on(self, t):
        return 0


class EchoState(nn.Module):
    """Nothing in it is learned but the head; it is full of buffers, and none is a state."""

    input_size = 3

    def __init__(self):
        super().__init__()
        w = torch.randn(12, 12)
        self.register_buffer("w", 0.9 * w / torch.linalg.eigvals(w).abs().max())
        self.register_buffer("into", torch.randn(12, 3))
        self.out = nn.Linear(12, 2)

    def forward(self, x, h=None):
        h = self.begin(x) if h is None else h
        outputs = []
        for x_t in x:
            h = 0.7 * h + 0.3 * (x_t @ self.into.T + h @ self.w.T).tanh()
            outputs.append(h)
        self.end(h)
        return self.out(torch.stack(outputs)), h

    def begin(self, x):
        return x.new_zeros(x.shape[1], 12)

    def end(self, h):
        pass


class EchoStateLeaksForOneRow(EchoState):
    """The path of a stream: one row, and the state of the call before."""

    kept = None

    def begin(self, x):
        return self.kept if x.shape[1] == 1 and self.kept is not None else super().begin(x)

    def end(self, h):
        if len(h) == 1:
            self.kept = h.detach()


class Memory(nn.Module):
    """A table that is written to, from a start that is the module's own and not learned."""

    input_size = 4

    def __init__(self):
        super().__init__()
        self.cell, self.key, self.add = nn.GRUCell(7, 6), nn.Linear(6, 3), nn.Linear(6, 3)
        self.register_buffer("table", torch.randn(5, 3))

    def forward(self, x, state=None):
        batch = x.shape[1]
        state = {"table": self.table.expand(batch, 5, 3), "read": x.new_zeros(batch, 3), "h": x.new_zeros(batch, 6)} if state is None else state
        table, read, h, outputs = state["table"], state["read"], state["h"], []
        for x_t in x:
            h = self.cell(torch.cat([x_t, read], -1), h)
            weights = torch.einsum("bd,bnd->bn", self.key(h), table).softmax(-1)
            table = table + weights[..., None] * self.add(h)[:, None]
            read = torch.einsum("bn,bnd->bd", weights, table)
            outputs.append(torch.cat([h, read], -1))
        return torch.stack(outputs), {"table": table, "read": self.handed_on(read), "h": h}

    def handed_on(self, read):
        return read


class MemoryForgetsWhatItRead(Memory):
    def handed_on(self, read):
        return torch.zeros_like(read)


class Recent(nn.Module):
    """Attention over the last six steps: a memory that does not grow."""

    input_size = 4

    def __init__(self):
        super().__init__()
        self.query, self.both = nn.Linear(4, 4), nn.Linear(4, 8)

    def forward(self, x, memory=None):
        memory = x.new_zeros(6, x.shape[1], 4) if memory is None else memory
        whole = torch.cat([memory, x])
        keys, values = self.both(whole).chunk(2, -1)
        outputs = []
        for t, query in enumerate(self.query(x)):
            weights = torch.einsum("bd,mbd->mb", query, keys[t : t + 7]).softmax(0)
            outputs.append(torch.einsum("mb,mbd->bd", weights, values[t : t + 7]))
        return torch.stack(outputs), self.handed_on(whole)

    def handed_on(self, whole):
        return whole[-6:]


class RecentInTheOtherOrder(Recent):
    def handed_on(self, whole):
        return whole[-6:].roll(1, 1)


class Gated(nn.Module):
    """A GRU, and what somebody does around it."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 4)

    def forward(self, x, h=None):
        return self.rnn(x, h)


class NormalisedInEval(Gated):
    """Batch norm before the layer: in eval mode nobody touches its statistics."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(5)

    def forward(self, x, h=None):
        return self.rnn(self.norm(x.flatten(0, 1)).view_as(x), h)


class NormalisedOverTime(Gated):
    def forward(self, x, h=None):
        return self.rnn(x - x.mean(0), h)


class NormalisedOverTheBatch(Gated):
    def forward(self, x, h=None):
        return self.rnn(x - x.mean(1, keepdim=True), h)


class ThroughNumbers(Gated):
    """The state comes back as new numbers, without its graph."""

    def forward(self, x, h=None):
        outputs, h = self.rnn(x, h)
        return outputs, torch.tensor(h.tolist(), dtype=h.dtype)


class WarmsUpWithoutGradient(Gated):
    def forward(self, x, h=None):
        half = len(x) // 2
        if half == 0:
            return self.rnn(x, h)
        with torch.no_grad():
            first, h = self.rnn(x[:half], h)
        second, h = self.rnn(x[half:], h)
        return torch.cat([first, second]), h


class SortedAndNotBack(Gated):
    """The rows are sorted, as for packing; the outputs are put back, and the state is not."""

    def forward(self, x, h=None):
        order = x[0, :, 0].argsort()
        outputs, h = self.rnn(x[:, order], None if h is None else h[:, order])
        return outputs[:, order.argsort()], h


class DefaultArgument(nn.Module):
    """The table of a default argument is made once, and is everybody's."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 4)

    def forward(self, x, h=None, kept={}):  # noqa: B006 -- this is the bug
        outputs, after = self.rnn(x, kept.get((id(self), x.shape[1])) if h is None else h)
        kept[id(self), x.shape[1]] = after.detach()
        return outputs, after


RIGHT = {
    "LSTM with layer norm": Kind(NormedLSTM),
    "RWKV-like, told where to start": Kind(lambda: laws.on(RWKV(), state=RWKV.start), silent=HEAD),
    "complex diagonal SSM": Kind(ComplexSSM, silent=HEAD),
    "dilated convolutions": Kind(Dilated, silent=HEAD),
    "clockwork RNN": Kind(Clockwork, silent="reset"),
    "echo state network": Kind(EchoState, silent=HEAD),
    "a memory with a fixed start": Kind(Memory, silent=f"zero {HEAD}"),
    "attention over the last six": Kind(Recent, silent=HEAD),
    "batch norm before a GRU": Kind(NormalisedInEval),
}
BROKEN = {
    "LSTM with layer norm, h detached": Kind(NormedLSTMCutsH, "cut"),
    "RWKV-like, its largest exponent lost": Kind(lambda: laws.on(RWKVKeepsTheFirstMost(), state=RWKV.start), "step chunk last-valid"),
    "complex SSM without its imaginary part": Kind(ComplexSSMLosesTheImaginary, "step chunk", HEAD),
    "dilated convolutions, a buffer lost": Kind(DilatedKeepsTheOldest, "step chunk", HEAD),
    "clockwork that begins again": Kind(ClockworkStandsStill, "step chunk"),
    "echo state that leaks for one row": Kind(EchoStateLeaksForOneRow, "zero", HEAD),
    "a memory that forgets what it read": Kind(MemoryForgetsWhatItRead, "step chunk", f"zero {HEAD}"),
    "attention that hands its rows round": Kind(RecentInTheOtherOrder, "step chunk last-valid"),
    "normalised over time": Kind(NormalisedOverTime, "step chunk last-valid"),
    "normalised over the batch": Kind(NormalisedOverTheBatch, "row"),
    "the state through numbers": Kind(ThroughNumbers, "cut"),
    "warms up without gradient": Kind(WarmsUpWithoutGradient, "cut"),
    "sorted, and not put back": Kind(SortedAndNotBack, "step chunk last-valid"),
    "keeps its state in a default argument": Kind(DefaultArgument, LEAK),
}
