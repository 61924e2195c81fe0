"""Lesson 07, Build. train_epoch(model, batches, optimizer): one pass over the training set.

batches: a list of (x (T, B, F), y (B,)); model(x) -> logits (B, C). One step of the optimizer for each batch, in the order
given, with the model in training mode -> (mean cross entropy per sample, accuracy) as plain floats, both as seen while training.

There is no other training loop here to compare with. `play` writes down the weights and the gradients at every step of the
optimizer; `judge` asks PyTorch what they should have been, each step on its own, at the weights that were written down.
"""

import contextlib
import itertools

import torch
from torch.func import functional_call
from torch.nn import functional as F

from course.checks.case import Case, Finding, in_float64
from course.checks.condition import plain, same
from course.checks.judge import GRADIENT_TOLERANCE, inputs_changed, not_steady, raised
from course.checks.oracles import Classifier, network, normal, rng, size
from course.checks.play import call

TAKES = ("model", "batches", "optimizer")
OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}
LARGEST_LOG = 200
LOSS, ACCURACY, GRADIENT, STEPS = range(4)
HINTS = [
    "Before the loop, the model goes into training mode. Each batch then has four moves: gradients to zero, forward to the loss, backward, step. In which order?",
    "cross_entropy gives the mean of ONE batch, and the last batch may be smaller. Give each its weight: add up loss.item() * len(y), and count the samples.",
    "argmax over the class axis, == y, .sum().item() counts the right ones. After the loop divide both sums by the number of samples: two plain floats.",
]

ONE_ROW = "cross_entropy got the logits of one sequence and the classes of a whole batch: model(x) is (B, C) already, and model(x)[-1] is its last SEQUENCE"
GUESSED = "the guessed classes do not line up with y: argmax runs over the class axis, dim=-1, and gives one class for each sequence"
DISTANCE = "the loss is a distance, such as a squared error, and it sets the logits (B, C) against the classes (B,) number by number. cross_entropy takes both"
COUNT = "it is a count: divide by the number of samples"
EITHER = "a whole number is a count, or what // or int() leaves of a number: / gives a float"
WHOLE = "it is a whole number: // leaves out what stands behind the point, and int() and round() do too. / gives the share"
EVERY = {2: "second", 3: "third", 4: "fourth"}
SHUFFLED = "the batches are shuffled: take them in the order given"
BACKWARD = {
    "graph a second time": "the graph of an earlier batch is still in the loss: add up loss.item() and not the loss itself",
    "modified by an inplace operation": (
        "backward goes through weights that a step has changed meanwhile: each loss needs its backward BEFORE the step, and "
        "a sum of losses keeps the graph of all batches. Add up loss.item()"
    ),
    "does not require grad": "the loss has no graph: no_grad, detach or .item() came before backward, or the loss is that of the guessed classes",
    "positional arguments but 3 were given": "the model takes x alone: no state is carried from one batch to the next, they are unrelated",
    "division by zero": "nothing was counted before the division",
    "For 1D input, 1D target must have size 1": ONE_ROW,
    "size mismatch (got input: [": ONE_ROW,
}
"""What an error means here, by a piece of its words."""


class _Epoch:
    """One epoch as it was written down, and what PyTorch makes of each batch at the weights of its step. Takes no step itself."""

    def __init__(self, case, log):
        self.model, self.batches = case.args["model"], case.args["batches"]
        self.steps, self.start, self.end = log["steps"], log["start"], log["end"]
        self.sizes = [len(y) for _, y in self.batches]
        self.samples = sum(self.sizes)

    def look(self, i, weights=None, training=True, loss=F.cross_entropy, show=lambda logits: logits.argmax(-1)):
        """The loss of batch i at the weights before step i, or at others: (loss, how many are right, weights with a graph)."""
        x, y = self.batches[i]
        weights = {name: weight.clone().requires_grad_() for name, weight in (weights or self.steps[i]["before"]).items()}
        with torch.enable_grad():
            logits = functional_call(Classifier(**self.model).train(training), weights, x)
            value = loss(logits, y)
        guessed = show(logits)
        return value, (guessed == y).sum().item() if guessed.shape == y.shape else 0, weights

    def gradient(self, i, at=None, **how):
        """The gradient of batch i at the weights before step i, or before another step."""
        loss, _, weights = self.look(i, self.steps[i if at is None else at]["before"], **how)
        return dict(zip(weights, torch.autograd.grad(loss, list(weights.values()))))

    def losses(self, **how):
        return [self.look(i, **how)[0].item() for i in range(len(self.batches))]

    def right(self, **how):
        return [self.look(i, **how)[1] for i in range(len(self.batches))]

    def per_sample(self, losses):
        """Means of batches -> the mean of all samples."""
        return sum(loss * n for loss, n in zip(losses, self.sizes)) / self.samples

    def after_each_step(self, kind, **how):
        """The losses (kind 0) or counts (kind 1) of all batches, each at the weights that its own step left."""
        seen = [self.look(i, self.steps[i]["after"], **how) for i in range(len(self.batches))]
        return [(loss.item(), right)[kind] for loss, right, _ in seen]


def _of_softmax(logits, y):
    return F.cross_entropy(logits.softmax(-1), y)


def _squared(logits, y):
    return F.mse_loss(logits, F.one_hot(y, logits.shape[-1]).to(logits))


def _scaled(gradients, factor):
    return {name: gradient * factor for name, gradient in gradients.items()}


def _all_so_far(epoch, i):
    every = [epoch.gradient(j) for j in range(i + 1)]
    return {name: sum(gradients[name] for gradients in every) for name in every[0]}


def _same_direction(epoch, i):
    """The right gradient, as long as the one that arrived."""
    right, yours = epoch.gradient(i), epoch.steps[i]["grads"]
    lengths = [torch.cat([(grads[name] if grads[name] is not None else right[name] * 0).flatten() for name in right]).norm() for grads in (yours, right)]
    return _scaled(right, lengths[0] / lengths[1])


def _another_batch(epoch, i):
    """The gradient, at these weights, of the other batch that comes nearest to what arrived."""
    others = [epoch.gradient(j, at=i) for j in range(len(epoch.batches)) if j != i]
    if not others:
        raise ValueError("there is only one batch")
    yours = epoch.steps[i]["grads"]
    return min(others, key=lambda grads: sum(float((grads[name] - yours[name]).abs().sum()) for name in grads if yours[name] is not None))


GRADIENT_MISTAKES = {
    "the gradients of earlier batches are still there: optimizer.zero_grad() is missing, or stands outside the loop": _all_so_far,
    "softmax is applied before the cross entropy, which applies it again": lambda epoch, i: epoch.gradient(i, loss=_of_softmax),
    "softmax runs over the batch, dim 0, before the cross entropy, which wants raw logits": (
        lambda epoch, i: epoch.gradient(i, loss=lambda logits, y: F.cross_entropy(logits.softmax(0), y))
    ),
    "nll_loss was given probabilities: it wants their logarithms. cross_entropy takes the raw logits": (
        lambda epoch, i: epoch.gradient(i, loss=lambda logits, y: F.nll_loss(logits.softmax(-1), y))
    ),
    "nll_loss was given raw logits: it wants log probabilities. cross_entropy takes the raw logits": (lambda epoch, i: epoch.gradient(i, loss=F.nll_loss)),
    "the loss is a squared error of the logits: the exercise asks for the cross entropy": lambda epoch, i: epoch.gradient(i, loss=_squared),
    "the loss is a squared error of the probabilities: the exercise asks for the cross entropy": (
        lambda epoch, i: epoch.gradient(i, loss=lambda logits, y: _squared(logits.softmax(-1), y))
    ),
    "only the last sequence of the batch counts": lambda epoch, i: epoch.gradient(i, loss=lambda logits, y: F.cross_entropy(logits[-1:], y[-1:])),
    "only the first sequence of the batch counts": lambda epoch, i: epoch.gradient(i, loss=lambda logits, y: F.cross_entropy(logits[:1], y[:1])),
    "the model is not in training mode while it learns: model.train() is missing, or eval() came before the batches": (
        lambda epoch, i: epoch.gradient(i, training=False)
    ),
    "the losses of a batch are summed, not averaged": lambda epoch, i: _scaled(epoch.gradient(i), epoch.sizes[i]),
    "the loss is divided by the number of batches before backward": lambda epoch, i: _scaled(epoch.gradient(i), 1 / len(epoch.batches)),
    "the sign of the loss is turned: the steps go uphill": lambda epoch, i: _scaled(epoch.gradient(i), -1),
    "this step was made with another batch: every batch has its turn once, in the order given": _another_batch,
    "the direction is right and the length is not: the gradient was clipped, or the loss multiplied": _same_direction,
}

LOSS_MISTAKES = {
    "it is the mean of the batch means: the last, smaller batch counts as much as a full one. Weigh each loss with len(y)": (
        lambda epoch: sum(epoch.losses()) / len(epoch.batches)
    ),
    "the batch means are summed and never divided": lambda epoch: sum(epoch.losses()),
    "the losses of all samples are summed and never divided": lambda epoch: epoch.per_sample(epoch.losses()) * epoch.samples,
    "the batch means are summed and divided by the number of samples": lambda epoch: sum(epoch.losses()) / epoch.samples,
    "the sum over samples is divided by the number of batches": lambda epoch: epoch.per_sample(epoch.losses()) * epoch.samples / len(epoch.batches),
    "each loss is weighed with len(x), and that counts time steps: len(y) counts samples": (
        lambda epoch: sum(loss * len(x) for loss, (x, _) in zip(epoch.losses(), epoch.batches)) / epoch.samples
    ),
    "only the last batch is reported": lambda epoch: epoch.losses()[-1],
    "only the first batch is reported": lambda epoch: epoch.losses()[0],
    "it is measured in a second pass, when the steps are over: report what was seen while training": (
        lambda epoch: epoch.per_sample(epoch.losses(weights=epoch.end))
    ),
    "it is measured in a second pass in eval mode, when the steps are over: report what was seen while training": (
        lambda epoch: epoch.per_sample(epoch.losses(weights=epoch.end, training=False))
    ),
    "each batch is measured after its own step: the loss is that of the forward pass before the step": (
        lambda epoch: epoch.per_sample(epoch.after_each_step(0))
    ),
    "it is measured before training, at the first weights": lambda epoch: epoch.per_sample(epoch.losses(weights=epoch.start)),
    "it is measured in eval mode": lambda epoch: epoch.per_sample(epoch.losses(training=False)),
    "softmax is applied before the cross entropy, in the loss that is reported": lambda epoch: epoch.per_sample(epoch.losses(loss=_of_softmax)),
    "the loss and the accuracy are swapped: the loss comes first": lambda epoch: sum(epoch.right()) / epoch.samples,
}

ACCURACY_MISTAKES = {
    "it is the mean of the batches' accuracies: the last, smaller batch counts as much as a full one": (
        lambda epoch: sum(n / size for n, size in zip(epoch.right(), epoch.sizes)) / len(epoch.batches)
    ),
    "it is a count: divide by the number of samples": lambda epoch: sum(epoch.right()),
    "it is a percentage: a share lies between 0 and 1": lambda epoch: 100 * sum(epoch.right()) / epoch.samples,
    "the count is divided by the number of batches": lambda epoch: sum(epoch.right()) / len(epoch.batches),
    "the count is divided by len(x), and that counts time steps": lambda epoch: sum(epoch.right()) / sum(len(x) for x, _ in epoch.batches),
    "the count is divided by the size of the last batch alone": lambda epoch: sum(epoch.right()) / epoch.sizes[-1],
    "only the last batch is reported": lambda epoch: epoch.right()[-1] / epoch.sizes[-1],
    "only the first batch is reported": lambda epoch: epoch.right()[0] / epoch.sizes[0],
    "argmax runs over the batch, dim 0, and not over the classes": (lambda epoch: sum(epoch.right(show=lambda logits: logits.argmax(0))) / epoch.samples),
    "it is the share of the wrong ones": lambda epoch: 1 - sum(epoch.right()) / epoch.samples,
    "it is measured in a second pass, when the steps are over: report what was seen while training": (
        lambda epoch: sum(epoch.right(weights=epoch.end)) / epoch.samples
    ),
    "it is measured in a second pass in eval mode, when the steps are over: report what was seen while training": (
        lambda epoch: sum(epoch.right(weights=epoch.end, training=False)) / epoch.samples
    ),
    "each batch is measured after its own step: count with the logits of the forward pass before the step": (
        lambda epoch: sum(epoch.after_each_step(1)) / epoch.samples
    ),
    "it is measured in eval mode": lambda epoch: sum(epoch.right(training=False)) / epoch.samples,
    "the smallest logit was taken: argmin in place of argmax": lambda epoch: sum(epoch.right(show=lambda logits: logits.argmin(-1))) / epoch.samples,
}

MISTAKES = {**GRADIENT_MISTAKES, **LOSS_MISTAKES, **ACCURACY_MISTAKES}


def cases(seed):
    g = rng(seed)
    a, b, c = size(g, 2, 3), size(g, 4, 5), size(g, 7, 8)

    def draw(sizes, classes=3, steps=a, optimizer=("SGD", 0.5), dropped=(), epochs=1, **settings):
        plain = network(g, 5, 6, classes, **{"training": True, **settings})
        batches = [(normal(g, steps, n, 5), torch.randint(classes, (n,), generator=g)) for n in sizes]
        return {"model": {**plain, "dropped": list(dropped)}, "batches": batches, "optimizer": optimizer, "epochs": epochs}

    return [
        Case(f"two batches of {b}, 3 classes, SGD", draw([b, b])),
        Case(f"a smaller last batch: {c}, {c} and {a} samples, 3 classes", draw([c, c, a])),
        Case("batches of many sizes, Adam", draw([c, 1, b, a], b, c, ("Adam", 0.05))),
        Case(f"as many samples as classes ({b}) in a batch", draw([b, b, b], b)),
        Case("a model with dropout", draw([c, b, a], dropped=(0, 2, 5))),
        Case("a model with dropout that comes in eval mode", draw([b, c], steps=b, optimizer=("Adam", 0.05), dropped=(1, 3, 4), training=False)),
        Case("a single batch", draw([c], 4)),
        Case("a GRU, batches of one", draw([1, 1, 1, 1], kind="gru")),
        Case("two epochs, with model.eval() between them", draw([b, c, a], dropped=(0, 1, 4), optimizer=("Adam", 0.05), epochs=2)),
        Case(f"samples, steps and classes all {b}, an LSTM", draw([b, b], b, b, kind="lstm")),
        in_float64("float64", draw([c, b, a])),
    ]


class _Recorder:
    """A model and an optimizer that write down what is done to them, epoch by epoch."""

    def __init__(self, args):
        self.model = Classifier(**args["model"])
        kind, rate = args["optimizer"]
        self.optimizer = OPTIMIZERS[kind](self.model.parameters(), lr=rate)
        self.optimizer.register_step_pre_hook(self._before_step)
        self.optimizer.register_step_post_hook(self._after_step)
        for parameter in self.model.parameters():
            parameter.register_post_accumulate_grad_hook(self._arrived)
        self.weights = dict(self.model.named_parameters())
        self.log = []

    def run(self, answer, batches):
        """One epoch: what the answer returned."""
        self.epoch = {"start": _copies(self.weights), "steps": [], "arrivals": 0, "backwards": 0}
        self.log.append(self.epoch)
        value = _counting_backwards(self.epoch, answer, self.model, batches, self.optimizer)
        self.epoch.update(
            end=_copies(self.weights),
            left=any(map(_is_some, self._gradients().values())),
            settings=_settings(self.optimizer),
            memory=_memory(self.optimizer, self.weights),
        )
        return value

    def _gradients(self):
        return {name: weight.grad for name, weight in self.weights.items()}

    def _before_step(self, *_):
        self.before = _copies(self.weights)

    def _after_step(self, *_):
        if len(self.epoch["steps"]) < LARGEST_LOG:
            self.epoch["steps"].append({"before": self.before, "grads": _copies(self._gradients()), "after": _copies(self.weights)})

    def _arrived(self, _):
        self.epoch["arrivals"] += 1


def _counting_backwards(epoch, answer, *arguments):
    """answer(*arguments), and written down that backward was called, also where no gradient arrives."""
    before = torch.autograd.backward

    def backward(*args, **kwargs):
        epoch["backwards"] += 1
        return before(*args, **kwargs)

    torch.autograd.backward = backward
    try:
        return answer(*arguments)
    finally:
        torch.autograd.backward = before


def _copies(tensors):
    return {name: None if tensor is None else tensor.detach().clone() for name, tensor in tensors.items()}


def _settings(optimizer):
    """The settings of an optimizer, group by group, as plain data."""
    return plain([{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups])


def _memory(optimizer, weights):
    """How many steps an optimizer remembers of each weight: Adam counts them; SGD without momentum has no memory, None."""
    return {name: _counted(optimizer.state.get(weight, {}).get("step")) for name, weight in weights.items()}


def _counted(steps):
    return None if steps is None else float(steps)


def _is_some(gradient):
    return gradient is not None and bool(gradient.any())


def play(answer, case):
    logs = []

    def run(recorder, batches, epochs):
        values = []
        for _ in range(epochs):
            values.append(recorder.run(answer, batches))
            recorder.model.eval()
        return values

    def bind(args):
        recorder = _Recorder(args)
        logs.append(recorder.log)
        return [recorder, args["batches"], args["epochs"]]

    result = call(run, case, bind=bind)
    result.notes = logs[0]
    return result


def judge(case, result):
    if result.error:
        return _raised(case, result)
    replay = _Replay(case)
    for packed, log in zip(result.value["items"], result.notes, strict=True):
        finding = _returned(case, packed, log) or (inputs_changed(case, result) if result.changed else None)
        finding = finding or _steps(case, log) or replay.kept(log) or replay.differs(log) or _numbers(case, packed, log)
        if finding:
            return finding
    if _same_again(case, result):
        return None
    finding = not_steady(case)
    if _is_shuffled(case, result):
        finding.explain(SHUFFLED)
    return finding


class _Replay:
    """The same steps taken once more, by an optimizer that no answer has touched, from the case's own weights."""

    def __init__(self, case):
        self.case, self.model = case, Classifier(**case.args["model"])
        kind, rate = case.args["optimizer"]
        self.optimizer, self.weights = OPTIMIZERS[kind](self.model.parameters(), lr=rate), dict(self.model.named_parameters())
        self.settings, self.taken = _settings(self.optimizer), 0

    def kept(self, log):
        """Does the optimizer come out of the epoch with the settings and the memory that it should have? A Finding where it does not."""
        self.taken += len(log["steps"])
        wanted = self.taken if "Adam" in self.case.args["optimizer"] else None
        remembers = all(steps == wanted for steps in log["memory"].values())
        if remembers and same(log["settings"], self.settings):
            return None
        what = "its settings, such as lr," if remembers else "what it remembers of earlier steps"
        return Finding("wrong", f"your function changed the optimizer: {what} should be left to the caller", self.case.title)

    def differs(self, log):
        """Follow the epoch with the gradients that were written down: a Finding where the weights go elsewhere."""
        if _far(self.weights, log["start"]):
            return self._finding("before the first step")
        for i, step in enumerate(log["steps"], start=1):
            for name, weight in self.weights.items():
                weight.grad = None if step["grads"][name] is None else step["grads"][name].clone()
            self.optimizer.step()
            if _far(self.weights, step["after"]):
                return self._finding(f"after step {i}")
        return None

    def _finding(self, when):
        return Finding("wrong", f"the weights {when} are not those that the optimizer makes of its gradients", self.case.title)


def _far(weights, others):
    return any(not torch.allclose(weight.detach(), others[name], rtol=GRADIENT_TOLERANCE, atol=GRADIENT_TOLERANCE / 10) for name, weight in weights.items())


def _same_again(case, result):
    for one, other in zip(result.value["items"], result.again["items"]):
        if _returned(case, other) or not all(_near(case, a["plain"], b["plain"]) for a, b in zip(one["items"], other["items"])):
            return False
    return True


def _is_shuffled(case, result):
    """Does the second call give, in its first epoch, what another order of the batches gives?"""
    seen = result.again["items"][0]
    if _returned(case, seen):
        return False
    orders = itertools.islice(itertools.permutations(case.args["batches"]), 1, LARGEST_LOG)
    return any(_near(case, seen["items"][0]["plain"], _loss_in(case, order)) for order in orders)


def _loss_in(case, batches):
    """The mean loss of an epoch that takes the batches in this order, each gradient by PyTorch at the weights that the one before it left."""
    kind, rate = case.args["optimizer"]
    weights = dict(Classifier(**case.args["model"]).named_parameters())
    optimizer, total = OPTIMIZERS[kind](weights.values(), lr=rate), 0.0
    epoch = _Epoch(Case(case.title, {**case.args, "batches": batches}), {"steps": [], "start": None, "end": None})
    for i, samples in enumerate(epoch.sizes):
        loss, _, copies = epoch.look(i, _copies(weights))
        for weight, gradient in zip(weights.values(), torch.autograd.grad(loss, list(copies.values()))):
            weight.grad = gradient
        optimizer.step()
        total += loss.item() * samples
    return total / epoch.samples


def _raised(case, result):
    finding, said = raised(case, result.error), result.error["message"]
    if "must match the size" in said:
        # of PyTorch's losses only the distances warn of two shapes
        is_distance = "Using a target size" in result.printed
        finding.cause = DISTANCE if is_distance else GUESSED if "==" in result.error["code"] or ".eq(" in result.error["code"] else finding.cause
    finding.cause = next((cause for words, cause in BACKWARD.items() if words in said), finding.cause)
    return finding


def _returned(case, packed, log=None):
    """Two plain floats, or a Finding. log: the epoch that they are of, where a cause is looked for."""
    wanted = "(loss, accuracy)"
    if packed["kind"] == "NoneType":
        return Finding("wrong", "your function returned None. Is there a `return` on every path?", case.title)
    if packed["kind"] not in ("tuple", "list"):
        return Finding("wrong", f"your function returned one {packed['kind']}; it should return 2 values, {wanted}", case.title)
    if packed["length"] != 2:
        return Finding("wrong", f"your function returned {packed['length']} values; it should return 2, {wanted}", case.title)
    for name, item in zip(("loss", "accuracy"), packed["items"]):
        if not isinstance(item.get("plain"), float):
            return _no_float(case, name, item, log)
        if item["plain"] != item["plain"]:
            return Finding("wrong", f"the {name} is NaN", case.title)
    return None


def _no_float(case, name, item, log):
    cause = ""
    if item["kind"] == "tensor":
        cause = "the sum is made of tensors: .item() gives the plain number"
        if item["shape"]:
            cause = f"it holds {item['shape'][0]} values, one for each sequence: .sum() counts them, and .item() makes a plain number of that"
        if item["requires_grad"]:
            cause = "the loss itself is added up, and it keeps the graph of every batch in memory: loss.item() is a plain number and keeps nothing"
    if item["kind"] == "int":
        cause = _of_a_whole_number(case, item["plain"], log) if log and name == "accuracy" else EITHER
    return Finding("wrong", f"the {name} should be a plain float, yours is of type {item['kind']}", case.title, cause=cause)


def _of_a_whole_number(case, number, log):
    """What a whole number in the place of a share is: the count, what // leaves of the share, or what could be either."""
    if number > 1 or len(log["steps"]) != len(case.args["batches"]):
        return COUNT if number > 1 else EITHER
    epoch = _Epoch(case, log)
    count = sum(epoch.right())
    if number in (count, count // epoch.samples) and count != count // epoch.samples:
        return COUNT if number == count else WHOLE
    return EITHER


def _steps(case, log):
    """One step for each batch, with the gradient of that batch alone, and no other change of the weights."""
    taken, wanted = len(log["steps"]), len(case.args["batches"])
    if taken != wanted:
        more = " or more" * (taken == LARGEST_LOG)
        said = f"the optimizer made {taken}{more} step{'s' * (taken != 1)} for {wanted} batch{'es' * (wanted != 1)}; it should be one step for each batch"
        causes = _miscounted(case, log)
        return Finding("wrong", said, case.title, part=STEPS, causes=causes)
    epoch, weights = _Epoch(case, log), log["start"]
    for i, step in enumerate(log["steps"]):
        finding = _moved(case, weights, step["before"], f"before step {i + 1}") or _gradient(case, epoch, log, i)
        if finding:
            return finding
        weights = step["after"]
    return _moved(case, weights, log["end"], "after the last step")


def _miscounted(case, log):
    """All that a number of steps other than that of the batches can come of: what holds in every case is the cause."""
    taken, batches = len(log["steps"]), case.args["batches"]
    wanted = len(batches)
    if taken == 0 and _differ(log["start"], log["end"]):
        return ("the weights are changed by hand or by another optimizer: it is the one that was handed over that has to step",)
    possible = {
        "optimizer.step() is missing, or stands where the loop never comes": taken == 0,
        "optimizer.step() stands behind the loop, or a `return` stands inside it": taken == 1 and not _goes_on_after(case, log),
        "there is a step for each sample: a batch makes one step, all its samples together": taken == sum(len(y) for _, y in batches),
        "one batch is left out, or every one that is smaller than the first": taken in (wanted - 1, sum(len(y) >= len(batches[0][1]) for _, y in batches)),
        "the batches are run through several times": taken > wanted and taken % wanted == 0,
        **{f"there is a step at every {which} batch only, and each batch has its own": taken == -(-wanted // n) for n, which in EVERY.items()},
        **{f"there is a step at every {which} batch only, at the end of so many, and each has its own": taken == wanted // n for n, which in EVERY.items()},
        "some batches make no step": taken < wanted,
        "there are more steps than batches": taken > wanted,
    }
    return tuple(cause for cause, fits in possible.items() if fits)


def _goes_on_after(case, log):
    """Was the only step that of the first batch, with backward passes of others after it?"""
    of_the_first = _first_difference(log["steps"][0]["grads"], _Epoch(case, log).gradient(0)) is None
    return of_the_first and log["arrivals"] > len(log["start"])


def _differ(some, others):
    return any(not torch.equal(some[name], others[name]) for name in some)


def _moved(case, some, others, when):
    if not _differ(some, others):
        return None
    return Finding("wrong", f"the weights changed {when}, and it was not the optimizer that changed them", case.title)


def _gradient(case, epoch, log, i):
    """The gradient of step i is that of batch i, at the weights before the step; or a Finding."""
    yours, target = epoch.steps[i]["grads"], epoch.gradient(i)
    name = _first_difference(yours, target)
    if name is None:
        return None
    if not any(map(_is_some, yours.values())):
        said = f"at step {i + 1} there is no gradient: the step changes nothing, or follows what Adam remembers"
        return Finding("wrong", said, case.title, cause=_no_gradient(log))
    said = f"at step {i + 1} of {len(epoch.steps)} the gradient is not that of batch {i + 1}; here it is for {name}"
    causes = _explained(GRADIENT_MISTAKES, lambda mistake: _first_difference(yours, mistake(epoch, i)) is None)
    return Finding("wrong", said, case.title, yours[name], target[name], part=GRADIENT, causes=causes)


def _first_difference(yours, target):
    for name, want in target.items():
        got = want * 0 if yours[name] is None else yours[name]
        if not torch.allclose(got, want, rtol=GRADIENT_TOLERANCE, atol=GRADIENT_TOLERANCE / 10):
            return name
    return None


def _no_gradient(log):
    if not log["arrivals"] and log["backwards"]:
        return "the graph is cut between the weights and the loss, so that backward() brings no gradient to them: detach, .data, .item() or a copy of the model"
    if not log["arrivals"]:
        return "loss.backward() is missing"
    if log["left"]:
        return "optimizer.step() comes before loss.backward(): the step needs the gradients that backward makes"
    return "zero_grad() stands between backward() and step(): it wipes the gradients out before they are used"


def _explained(mistakes, fits):
    """The sentences of all mistakes that fit."""
    found = []
    for sentence, mistake in mistakes.items():
        with contextlib.suppress(ValueError):
            found += [sentence] if fits(mistake) else []
    return tuple(found)


def _numbers(case, packed, log):
    """The mean loss per sample and the share of right guesses, or a Finding."""
    epoch = _Epoch(case, log)
    loss, accuracy = (item["plain"] for item in packed["items"])
    rows = (
        (LOSS, "loss", loss, epoch.per_sample(epoch.losses()), LOSS_MISTAKES),
        (ACCURACY, "accuracy", accuracy, sum(epoch.right()) / epoch.samples, ACCURACY_MISTAKES),
    )
    for part, name, got, want, mistakes in rows:
        if not _near(case, got, want):
            causes = _explained(mistakes, lambda mistake, got=got: _near(case, got, mistake(epoch)))
            said = f"the steps are right, but the {name} that is returned is not: it is off by {abs(got - want):.3g}"
            return Finding("wrong", said, case.title, torch.tensor(got), torch.tensor(want), part=part, causes=causes)
    return None


def _near(case, got, want):
    return abs(got - want) <= case.tolerance * max(1, abs(want))
