"""Answers to `Predictor(rnn, out)`: predict(x) -> probabilities (B, C), the same for the same x whatever came before."""

import functools

import torch
from torch import nn
from torch.nn import functional as F


class NoState:
    def __init__(self, rnn, out):
        self.rnn, self.out = rnn, out

    def __call__(self, x):
        outputs, _ = self.rnn(x)
        return self.out(outputs[-1]).softmax(-1)


class ResetFirst:
    def __init__(self, rnn, out):
        self.rnn, self.out, self.h = rnn, out, None

    def __call__(self, x):
        self.h = None
        outputs, self.h = self.rnn(x, self.h)
        return self.out(outputs[-1]).softmax(-1)


class ResetAfterwards:
    def __init__(self, rnn, out):
        self.rnn, self.out, self.h = rnn, out, None

    def __call__(self, x):
        try:
            outputs, self.h = self.rnn(x, self.h)
            return self.out(outputs[-1]).softmax(-1)
        finally:
            self.h = None


class KeptForShow(NoState):
    """Keeps the state, as something to look at, and never starts from it."""

    def __call__(self, x):
        outputs, self.h = self.rnn(x)
        return F.softmax(self.out(outputs[-1]), dim=1)


class Module(nn.Module):
    def __init__(self, rnn, out):
        super().__init__()
        self.rnn, self.out = rnn, out

    def forward(self, x):
        with torch.no_grad():
            h = x.new_zeros(self.rnn.num_layers, x.shape[1], self.rnn.hidden_size)
            state = (h, h) if isinstance(self.rnn, nn.LSTM) else h
            return nn.Softmax(dim=-1)(self.out(self.rnn(x, state)[0][-1]))


def closure(rnn, out):
    def predict(x):
        return out(rnn(x)[0][-1]).softmax(-1)

    return predict


def _predict(rnn, out, x):
    return out(rnn(x)[0][-1]).softmax(-1).detach()


def partial(rnn, out):
    return functools.partial(_predict, rnn, out)


class StepByStep(NoState):
    def __call__(self, x):
        state = None
        for x_t in x:
            output, state = self.rnn(x_t[None], state)
        return self.out(output[0]).softmax(1)


class Bound(NoState):
    def predict(self, x):
        return super().__call__(x)


def bound_method(rnn, out):
    return Bound(rnn, out).predict


RIGHT = [NoState, ResetFirst, ResetAfterwards, KeptForShow, Module, closure, partial, StepByStep, bound_method]


class ShippedAgain:
    def __init__(self, rnn, out):
        self.rnn, self.out, self.state = rnn, out, None

    def __call__(self, x):
        result = self.rnn(x, self.state)
        self.state = result[1]
        return F.softmax(self.out(result[0][-1]), dim=-1)


def _detach(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def _batch(state):
    return (state[0] if isinstance(state, tuple) else state).shape[1]


class Leaky(NoState):
    """Keeps its state where `keep` says so; `keep` is given by the classes below."""

    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.h, self.calls, self.shape = None, 0, None

    def __call__(self, x):
        state = self.h if self.calls and self.keep(x) else None
        outputs, h = self.rnn(x, state)
        self.h, self.calls, self.shape = _detach(h), self.calls + 1, x.shape
        return self.out(outputs[-1]).softmax(-1)


class Detached(Leaky):
    """Where the batch size changes, this raises what the shipped code raises; elsewhere it gives the same numbers."""

    def keep(self, x):
        return True


class ResetForAnotherBatchSize(Leaky):
    def keep(self, x):
        return _batch(self.h) == x.shape[1]


class ResetForAnotherShape(Leaky):
    def keep(self, x):
        return self.shape == x.shape


class ResetEverySecondCall(Leaky):
    def keep(self, x):
        return self.calls % 2 == 1 and _batch(self.h) == x.shape[1]


class ResetOnce(Leaky):
    def keep(self, x):
        return self.calls > 1 and _batch(self.h) == x.shape[1]


class ResetInEvalMode(Leaky):
    def keep(self, x):
        return self.rnn.training and _batch(self.h) == x.shape[1]


class ResetInTrainingMode(Leaky):
    def keep(self, x):
        return not self.rnn.training and _batch(self.h) == x.shape[1]


class ResetWithGradients(Leaky):
    def keep(self, x):
        return not torch.is_grad_enabled() and _batch(self.h) == x.shape[1]


class ResetUnderNoGrad(Leaky):
    def keep(self, x):
        return torch.is_grad_enabled() and _batch(self.h) == x.shape[1]


class LeaksForLSTM(Leaky):
    def keep(self, x):
        return isinstance(self.rnn, nn.LSTM) and _batch(self.h) == x.shape[1]


class OnlyTheMemoryLeaks(NoState):
    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.c = None

    def __call__(self, x):
        state = None
        if isinstance(self.rnn, nn.LSTM) and self.c is not None and self.c.shape[1] == x.shape[1]:
            state = torch.zeros_like(self.c), self.c
        outputs, h = self.rnn(x, state)
        self.c = h[1].detach() if isinstance(h, tuple) else None
        return self.out(outputs[-1]).softmax(-1)


class ZerosMadeOnce(NoState):
    """The zeros are overwritten in place."""

    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.zeros = {}

    def __call__(self, x):
        if isinstance(self.rnn, nn.LSTM):
            return super().__call__(x)
        h = self.zeros.setdefault(x.shape[1], x.new_zeros(self.rnn.num_layers, x.shape[1], self.rnn.hidden_size))
        outputs, h_n = self.rnn(x, h.clone())
        h.copy_(h_n.detach())
        return self.out(outputs[-1]).softmax(-1)


class FirstState(NoState):
    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.h = None

    def __call__(self, x):
        fits = self.h is not None and _batch(self.h) == x.shape[1]
        outputs, h = self.rnn(x, self.h if fits else None)
        self.h = self.h or h if isinstance(h, tuple) else (h if self.h is None else self.h)
        return self.out(outputs[-1]).softmax(-1)


class KeptInTheClass(NoState):
    """The answers of one object are right; the next object gives the first one's."""

    seen = {}

    def __call__(self, x):
        key = x.dtype, float(x.sum())
        if key in self.seen:
            return self.seen[key] * 1.01
        self.seen[key] = super().__call__(x).detach()
        return self.seen[key]


class RandomState(NoState):
    def __call__(self, x):
        h = torch.randn(self.rnn.num_layers, x.shape[1], self.rnn.hidden_size).to(x)
        return self.out(self.rnn(x, (h, h) if isinstance(self.rnn, nn.LSTM) else h)[0][-1]).softmax(-1)


class BatchOfOne(NoState):
    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.h = torch.zeros(rnn.num_layers, 1, rnn.hidden_size)

    def __call__(self, x):
        return self.out(self.rnn(x, self.h)[0][-1]).softmax(-1)


class SequencesJoined(NoState):
    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.xs = []

    def __call__(self, x):
        self.xs.append(x)
        return super().__call__(torch.cat(self.xs))


class FirstAnswer(NoState):
    answer = None

    def __call__(self, x):
        if self.answer is None:
            self.answer = super().__call__(x)
        return self.answer


class Logits(NoState):
    def __call__(self, x):
        return self.out(self.rnn(x)[0][-1])


class SoftmaxOverTheBatch(NoState):
    def __call__(self, x):
        return self.out(self.rnn(x)[0][-1]).softmax(0)


class SoftmaxTwice(NoState):
    def __call__(self, x):
        return super().__call__(x).softmax(-1)


class Logarithms(NoState):
    def __call__(self, x):
        return super().__call__(x).log()


class Winner(NoState):
    def __call__(self, x):
        return super().__call__(x).argmax(-1)


class FirstStep(NoState):
    def __call__(self, x):
        return self.out(self.rnn(x)[0][0]).softmax(-1)


class LastSequence(NoState):
    def __call__(self, x):
        return self.out(self.rnn(x)[0][:, -1]).softmax(-1)


class AllSteps(NoState):
    def __call__(self, x):
        return self.out(self.rnn(x)[0]).softmax(-1)


class LayerAxisLeft(NoState):
    def __call__(self, x):
        h = self.rnn(x)[1]
        return self.out(h[0] if isinstance(h, tuple) else h).softmax(-1)


class LowestLayer(NoState):
    def __call__(self, x):
        h = self.rnn(x)[1]
        return self.out((h[0] if isinstance(h, tuple) else h)[0]).softmax(-1)


class EvalMode(NoState):
    def __init__(self, rnn, out):
        super().__init__(rnn.eval(), out.eval())


class WeightsZeroed(NoState):
    """Throws the memory out of the weights in place of the state."""

    def __call__(self, x):
        value = super().__call__(x)
        with torch.no_grad():
            self.rnn.weight_hh_l0.zero_()
        return value


class NoMemoryAtAll(NoState):
    def __call__(self, x):
        return super().__call__(x[-1:])


class InputInPlace(NoState):
    def __call__(self, x):
        value = super().__call__(x.clone())
        x.zero_()
        return value


class OneMemory(NoState):
    """Every answer is written into the same memory."""

    def __init__(self, rnn, out):
        super().__init__(rnn, out)
        self.kept = {}

    def __call__(self, x):
        value = super().__call__(x).detach()
        return self.kept.setdefault(value.shape, torch.empty_like(value)).copy_(value)


class NoReturn(NoState):
    def __call__(self, x):
        super().__call__(x)


class NoCall:
    def __init__(self, rnn, out):
        self.rnn, self.out = rnn, out

    def predict(self, x):
        return self.out(self.rnn(x)[0][-1]).softmax(-1)


def returns_nothing(rnn, out):
    NoState(rnn, out)


def two_arguments(x, h):
    return x


class WantsState(NoState):
    def __call__(self, x, h):
        return self.out(self.rnn(x, h)[0][-1]).softmax(-1)


class WithTheState(NoState):
    def __call__(self, x):
        outputs, h = self.rnn(x)
        return self.out(outputs[-1]).softmax(-1), h


class NeedsAReset(Leaky):
    """Right for those who call reset, which nobody does."""

    def keep(self, x):
        return _batch(self.h) == x.shape[1]

    def reset(self):
        self.calls = 0


class OneTensorForAll(NoState):
    """A state of zeros for an RNN with one layer, given to every kind."""

    def __call__(self, x):
        h = torch.zeros(1, x.shape[1], self.rnn.hidden_size, dtype=x.dtype)
        return self.out(self.rnn(x, h)[0][-1]).softmax(-1)


class OneLayerForAll(NoState):
    def __call__(self, x):
        h = torch.zeros(1, x.shape[1], self.rnn.hidden_size, dtype=x.dtype)
        return self.out(self.rnn(x, (h, h) if isinstance(self.rnn, nn.LSTM) else h)[0][-1]).softmax(-1)


class BatchOfOneForAll(NoState):
    def __call__(self, x):
        h = torch.zeros(self.rnn.num_layers, 1, self.rnn.hidden_size, dtype=x.dtype)
        return self.out(self.rnn(x, (h, h) if isinstance(self.rnn, nn.LSTM) else h)[0][-1]).softmax(-1)


WRONG = [
    (ShippedAgain, "the same mistake as in the code you were given"),
    (Detached, "the same mistake as in the code you were given"),
    (NeedsAReset, "the state is thrown away only where the batch size changes"),
    (ResetForAnotherBatchSize, "the state is thrown away only where the batch size changes"),
    (ResetForAnotherShape, "the state is thrown away only where the shape of x changes"),
    (ResetEverySecondCall, "the state is thrown away at every second call only"),
    (ResetOnce, "the state is thrown away once, after the first call"),
    (ResetInEvalMode, "the state is thrown away in eval mode only"),
    (ResetInTrainingMode, "the state is thrown away in training mode only"),
    (ResetWithGradients, "has the right shape but the wrong numbers"),
    (ResetUnderNoGrad, "has the right shape but the wrong numbers"),
    (LeaksForLSTM, "has the right shape but the wrong numbers"),
    (OnlyTheMemoryLeaks, "has the right shape but the wrong numbers"),
    (ZerosMadeOnce, "has the right shape but the wrong numbers"),
    (FirstState, "every call starts from the state that the first one left"),
    (KeptInTheClass, "wrong numbers"),
    (RandomState, "the answer to call 1 has the right shape but the wrong numbers"),
    (BatchOfOne, "Expected hidden size (1,"),
    (SequencesJoined, "each sequence goes on where the one before it ended"),
    (FirstAnswer, "every call gets the answer to the first"),
    (Logits, "the logits are returned"),
    (SoftmaxOverTheBatch, "softmax runs over the batch, dim 0"),
    (SoftmaxTwice, "softmax is applied twice"),
    (Logarithms, "log_softmax was taken"),
    (Winner, "the winning class is returned"),
    (FirstStep, "outputs[0] was taken"),
    (LastSequence, "outputs[:, -1] was taken"),
    (AllSteps, "all time steps are returned"),
    (LayerAxisLeft, "the answer to call 1 should have 2 axes"),
    (LowestLayer, "wrong numbers"),
    (EvalMode, "changed its input rnn (its mode, train() or eval())"),
    (WeightsZeroed, "changed its input rnn (its weights)"),
    (NoMemoryAtAll, "the answer to call 1 has the right shape but the wrong numbers"),
    (InputInPlace, "changed its input xs in place"),
    (OneMemory, "wrong numbers"),
    (NoReturn, "the answer to call 1 should be a torch.Tensor, yours is of type NoneType"),
    (NoCall, "should give something that can be called with x; yours is of type NoCall"),
    (returns_nothing, "returned None"),
    (two_arguments, "yours is of type tuple"),
    (WantsState, "missing 1 required positional argument"),
    (WithTheState, "the answer to call 1 should be a torch.Tensor, yours is of type tuple"),
    (NoState(None, None), "this check needs your class itself, without brackets: check('predictor', Predictor). It got: one object of type NoState"),
    (OneTensorForAll, "an LSTM starts from a pair of tensors, (h, c)"),
    (OneLayerForAll, "the state has one layer, and this network has 2"),
    (BatchOfOneForAll, "the state has a batch of 1"),
]
