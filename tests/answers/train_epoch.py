"""Answers to `train_epoch(model, batches, optimizer)`: one step a batch -> (mean cross entropy per sample, accuracy)."""

import random

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def plain(model, batches, optimizer):
    model.train()
    total, right, count = 0.0, 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
        right += (logits.argmax(-1) == y).sum().item()
        count += len(y)
    return total / count, right / count


def zero_grad_after_the_step(model, batches, optimizer):
    model.train()
    losses, hits = [], []
    criterion = nn.CrossEntropyLoss(reduction="none")
    for x, y in batches:
        logits = model(x)
        each = criterion(logits, y)
        each.mean().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        losses += each.tolist()
        hits += (logits.argmax(dim=1) == y).tolist()
    return sum(losses) / len(losses), sum(hits) / len(hits)


def closure(model, batches, optimizer):
    model.train(True)
    total, right = 0.0, 0
    samples = sum(len(y) for _, y in batches)
    for x, y in batches:
        kept = {}

        def again(x=x, y=y, kept=kept):
            optimizer.zero_grad()
            kept["logits"] = model(x)
            loss = F.nll_loss(kept["logits"].log_softmax(1), y)
            loss.backward()
            return loss

        loss = optimizer.step(again)
        total += float(loss) * y.numel()
        right += int((kept["logits"].max(1).indices == y).sum())
    return total / samples, right / samples


def gathered(model, batches, optimizer):
    model.train()
    all_logits, all_y = [], []
    for x, y in batches:
        logits = model(x)
        model.zero_grad()
        nn.CrossEntropyLoss()(logits, y).backward()
        optimizer.step()
        all_logits.append(logits.detach())
        all_y.append(y)
    logits, y = torch.cat(all_logits), torch.cat(all_y)
    return F.cross_entropy(logits, y).item(), (logits.argmax(-1) == y).double().mean().item()


def counted_under_no_grad(model, batches, optimizer):
    model.train()
    total = torch.zeros(())
    right = torch.zeros((), dtype=torch.long)
    for x, y in batches:
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            total = total + loss * y.shape[0]
            right += (logits.argmax(-1) == y).sum()
    count = sum(y.shape[0] for _, y in batches)
    return total.item() / count, right.item() / count


def extra_forward_before_the_step(model, batches, optimizer):
    model.train()
    total = right = count = 0
    for x, y in batches:
        with torch.no_grad():
            seen = model(x)
            total += F.cross_entropy(seen, y, reduction="sum").item()
            right += (seen.argmax(-1) == y).sum().item()
            count += len(y)
        loss = F.cross_entropy(model(x), y)
        for parameter in model.parameters():
            parameter.grad = None
        loss.backward()
        optimizer.step()
    return [total / count, right / count]


def numpy_mean(model, batches, optimizer):
    model.train()
    losses, hits, sizes = [], [], []
    for i in range(len(batches)):
        x, y = batches[i]
        logits = model(x)
        loss = -logits.log_softmax(-1)[torch.arange(len(y)), y].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        hits.append((logits.argmax(-1) == y).float().mean().item())
        sizes.append(len(y))
    return np.average(losses, weights=sizes), np.average(hits, weights=sizes)


def gradients_by_autograd(model, batches, optimizer):
    model.train()
    parameters = list(model.parameters())
    total = right = 0
    for x, y in batches:
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        for parameter, grad in zip(parameters, torch.autograd.grad(loss, parameters)):
            parameter.grad = grad
        optimizer.step()
        total += loss.item() * len(y)
        right += logits.argmax(-1).eq(y).sum().item()
    count = sum(len(y) for _, y in batches)
    return total / count, right / count


def sample_by_sample(model, batches, optimizer):
    model.train()
    total = right = count = 0
    for x, y in batches:
        optimizer.zero_grad()
        for b in range(len(y)):
            logits = model(x[:, b : b + 1])
            loss = F.cross_entropy(logits, y[b : b + 1])
            (loss / len(y)).backward()
            total, right, count = total + loss.item(), right + int(logits.argmax() == y[b]), count + 1
        optimizer.step()
    return total / count, right / count


def evaluated_afterwards_for_itself(model, batches, optimizer):
    """Looks at the model after training too, but returns what was seen in training."""
    result = plain(model, batches, optimizer)
    model.eval()
    with torch.no_grad():
        print(sum(F.cross_entropy(model(x), y).item() for x, y in batches))
    return result


RIGHT = [
    plain,
    zero_grad_after_the_step,
    closure,
    gathered,
    counted_under_no_grad,
    extra_forward_before_the_step,
    numpy_mean,
    gradients_by_autograd,
    sample_by_sample,
    evaluated_afterwards_for_itself,
]


def epoch(
    train=True,
    zero=True,
    softmax=None,
    reduction="mean",
    scale=1.0,
    clip=None,
    backward=True,
    step=1,
    order="zbs",
    hits=None,
    arrange=list,
    weigh=lambda loss, x, y: loss.item() * len(y),
    close=lambda total, right, count, batches: (total / count, right / count),
    before=None,
    count=lambda x, y: len(y),
):
    """A way of training with one thing done otherwise. order: z zero_grad, b backward, s step."""

    def train_epoch(model, batches, optimizer):
        if train is not None:
            model.train(train)
        total = right = samples = 0
        for x, y in arrange(batches):
            logits = model(x)
            loss = scale * F.cross_entropy(logits if softmax is None else logits.softmax(softmax), y, reduction=reduction)
            for move in order:
                if move == "z" and zero:
                    optimizer.zero_grad()
                if move == "b" and backward:
                    loss.backward()
                    if clip:
                        nn.utils.clip_grad_norm_(model.parameters(), clip)
                if move == "s":
                    for _ in range(step):
                        optimizer.step()
            total += weigh(loss / scale if reduction == "mean" else loss / len(y), x, y)
            right += ((logits.argmax(-1) == y) if hits is None else hits(logits, y)).sum().item()
            samples += count(x, y)
        return close(total, right, samples, batches)

    return train_epoch


def no_return(model, batches, optimizer):
    plain(model, batches, optimizer)


def return_inside_the_loop(model, batches, optimizer):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        return loss.item(), (logits.argmax(-1) == y).float().mean().item()


def step_behind_the_loop(model, batches, optimizer):
    model.train()
    total = right = count = 0
    optimizer.zero_grad()
    for x, y in batches:
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        total, right, count = total + loss.item() * len(y), right + (logits.argmax(-1) == y).sum().item(), count + len(y)
    optimizer.step()
    return total / count, right / count


def step_for_each_sample(model, batches, optimizer):
    return plain(model, [(x[:, b : b + 1], y[b : b + 1]) for x, y in batches for b in range(len(y))], optimizer)


def total_keeps_the_graph(model, batches, optimizer):
    model.train()
    total, right, count = 0.0, 0, 0
    for x, y in batches:
        optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        total += loss * len(y)
        right += (logits.argmax(-1) == y).sum().item()
        count += len(y)
    return total / count, right / count


def detached_tensors(model, batches, optimizer):
    loss, accuracy = plain(model, batches, optimizer)
    return torch.tensor(loss), accuracy


def accuracy_is_a_tensor(model, batches, optimizer):
    loss, accuracy = plain(model, batches, optimizer)
    return loss, torch.tensor(accuracy)


def float_of_the_loss_list(model, batches, optimizer):
    """Backward through the sum of all losses so far."""
    model.train()
    total = 0
    for x, y in batches:
        total = total + F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    return total.item(), 0.5


def retained(model, batches, optimizer):
    model.train()
    total = 0
    for x, y in batches:
        total = total + F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        total.backward(retain_graph=True)
        optimizer.step()
    return total.item(), 0.5


def no_grad(model, batches, optimizer):
    with torch.no_grad():
        return plain(model, batches, optimizer)


def loss_of_item(model, batches, optimizer):
    model.train()
    for x, y in batches:
        torch.tensor(F.cross_entropy(model(x), y).item()).backward()
        optimizer.step()
    return 0.0, 0.0


def state_carried(model, batches, optimizer):
    h = None
    for x, y in batches:
        logits, h = model(x, h)
    return 0.0, 0.0


def by_hand(model, batches, optimizer):
    model.train()
    total = right = count = 0
    for x, y in batches:
        model.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
        total, right, count = total + loss.item() * len(y), right + (logits.argmax(-1) == y).sum().item(), count + len(y)
    return total / count, right / count


def an_optimizer_of_its_own(model, batches, optimizer):
    return plain(model, batches, torch.optim.Adam(model.parameters()))


def weights_decayed_by_hand(model, batches, optimizer):
    result = plain(model, batches, optimizer)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 0.99
    return result


def weights_reset_before(model, batches, optimizer):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    return plain(model, batches, optimizer)


def slower(model, batches, optimizer):
    for group in optimizer.param_groups:
        group["lr"] *= 0.1
    return plain(model, batches, optimizer)


def forgetful(model, batches, optimizer):
    optimizer.state.clear()
    return plain(model, batches, optimizer)


def second_pass(model, batches, optimizer, mode=True):
    plain(model, batches, optimizer)
    model.train(mode)
    with torch.no_grad():
        logits, y = torch.cat([model(x) for x, _ in batches]), torch.cat([y for _, y in batches])
    return F.cross_entropy(logits, y).item(), (logits.argmax(-1) == y).double().mean().item()


def second_pass_in_eval(model, batches, optimizer):
    return second_pass(model, batches, optimizer, mode=False)


def measured_after_each_step(model, batches, optimizer):
    total = count = 0
    for x, y in batches:
        _, accuracy = plain(model, [(x, y)], optimizer)
        with torch.no_grad():
            total, count = total + F.cross_entropy(model(x), y, reduction="sum").item(), count + len(y)
    return total / count, accuracy


def measured_in_eval(model, batches, optimizer):
    total = right = count = 0
    for x, y in batches:
        model.eval()
        with torch.no_grad():
            logits = model(x)
        total, right, count = total + F.cross_entropy(logits, y, reduction="sum").item(), right + (logits.argmax(-1) == y).sum().item(), count + len(y)
        plain(model, [(x, y)], optimizer)
    return total / count, right / count


def measured_before(model, batches, optimizer):
    model.train()
    with torch.no_grad():
        logits, y = torch.cat([model(x) for x, _ in batches]), torch.cat([y for _, y in batches])
    plain(model, batches, optimizer)
    return F.cross_entropy(logits, y).item(), (logits.argmax(-1) == y).double().mean().item()


def shuffled_in_place(model, batches, optimizer):
    random.Random(1).shuffle(batches)
    batches.append(batches.pop(0))
    return plain(model, batches, optimizer)


def batches_popped(model, batches, optimizer):
    return plain(model, [batches.pop(0) for _ in range(len(batches))], optimizer)


def inputs_centred_in_place(model, batches, optimizer):
    for x, _ in batches:
        x -= x.mean()
    return plain(model, batches, optimizer)


def swapped(model, batches, optimizer):
    return plain(model, batches, optimizer)[::-1]


def three_values(model, batches, optimizer):
    return (*plain(model, batches, optimizer), len(batches))


def as_a_dict(model, batches, optimizer):
    return dict(zip(("loss", "accuracy"), plain(model, batches, optimizer)))


_losses = []


def running_mean(model, batches, optimizer):
    loss, accuracy = plain(model, batches, optimizer)
    _losses.append(loss)
    return sum(_losses) / len(_losses), accuracy


def zeroed_but_for_the_first(model, batches, optimizer):
    """Right in the first epoch: later ones begin with the gradients of the epoch before."""
    model.train()
    total = right = count = 0
    for i, (x, y) in enumerate(batches):
        if i:
            optimizer.zero_grad()
        logits = model(x)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        total, right, count = total + loss.item() * len(y), right + (logits.argmax(-1) == y).sum().item(), count + len(y)
    return total / count, right / count


def train_mode_at_the_end(model, batches, optimizer):
    result = epoch(train=None)(model, batches, optimizer)
    model.train()
    return result


def only_the_output_layer(model, batches, optimizer):
    for parameter in model.rnn.parameters():
        parameter.requires_grad_(False)
    return plain(model, batches, optimizer)


def only_the_first_sample(model, batches, optimizer):
    return plain(model, [(x[:, :1], y[:1]) for x, y in batches], optimizer)


def label_smoothing(model, batches, optimizer):
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y, label_smoothing=0.1).backward()
        optimizer.step()
    return 1.0, 0.5


def mean_of_the_accuracies(model, batches, optimizer):
    shares = []

    def note(logits, y):
        shares.append((logits.argmax(-1) == y).float().mean().item())
        return logits.argmax(-1) == y

    loss, _ = epoch(hits=note)(model, batches, optimizer)
    return loss, sum(shares) / len(shares)


def _named(name, function):
    function.__name__ = name
    return function


def of(loss=F.cross_entropy, forward=lambda model, x: model(x)):
    """Training with another loss(logits, y), or other logits."""

    def train_epoch(model, batches, optimizer):
        model.train()
        total = right = count = 0
        for x, y in batches:
            logits = forward(model, x)
            value = loss(logits, y)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total, count = total + value.item() * len(y), count + len(y)
            right += (logits.argmax(-1) == y).sum().item()
        return total / count, right / count

    return train_epoch


def _one_hot(logits, y):
    return F.one_hot(y, logits.shape[-1]).to(logits)


def shuffled(model, batches, optimizer):
    return plain(model, random.sample(batches, len(batches)), optimizer)


_calls = []


def shuffled_at_every_second_call(model, batches, optimizer):
    """What a shuffle does that leaves the order as it was the first time."""
    _calls.append(1)
    return plain(model, batches if len(_calls) % 2 else batches[::-1], optimizer)


WRONG = [
    (no_return, "returned None"),
    (_named("no_zero_grad", epoch(zero=False)), "optimizer.zero_grad() is missing"),
    (_named("step_before_backward", epoch(order="zsb")), "optimizer.step() comes before loss.backward()"),
    (_named("step_zero_backward", epoch(order="szb")), "each loss needs its backward BEFORE the step"),
    (_named("zero_between", epoch(order="bzs")), "zero_grad() stands between backward() and step()"),
    (_named("no_backward", epoch(backward=False)), "loss.backward() is missing"),
    (_named("no_step", epoch(order="zb")), "optimizer.step() is missing"),
    (_named("two_steps", epoch(step=2)), "the batches are run through several times"),
    (_named("batches_twice", epoch(arrange=lambda batches: batches * 2)), "the batches are run through several times"),
    (_named("last_batch_dropped", epoch(arrange=lambda batches: batches[:-1] or batches)), "it should be one step for each batch"),
    (_named("ragged_batch_dropped", epoch(arrange=lambda bs: [b for b in bs if len(b[1]) >= len(bs[0][1])])), "one batch is left out"),
    (_named("reversed_order", epoch(arrange=lambda batches: batches[::-1])), "this step was made with another batch"),
    (_named("first_batch_again", epoch(arrange=lambda batches: batches[:1] * len(batches))), "this step was made with another batch"),
    (_named("softmax_before", epoch(softmax=-1)), "softmax is applied before the cross entropy"),
    (_named("softmax_over_the_batch", epoch(softmax=0)), "softmax runs over the batch, dim 0"),
    (_named("loss_summed", epoch(reduction="sum")), "the losses of a batch are summed, not averaged"),
    (_named("uphill", epoch(scale=-1.0)), "the sign of the loss is turned"),
    (_named("clipped", epoch(clip=0.01)), "the gradient was clipped"),
    (_named("loss_scaled", epoch(scale=10.0)), "the loss multiplied"),
    (_named("eval_mode", epoch(train=False)), "the model is not in training mode"),
    (_named("mode_left_alone", epoch(train=None)), "the model is not in training mode"),
    (train_mode_at_the_end, "the model is not in training mode"),
    (_named("mean_of_batch_means", epoch(weigh=lambda l, x, y: l.item(), close=lambda t, r, n, bs: (t / len(bs), r / n))), "it is the mean of the batch means"),
    (_named("sum_of_batch_means", epoch(weigh=lambda l, x, y: l.item(), close=lambda t, r, n, bs: (t, r / n))), "the batch means are summed and never divided"),
    (_named("sum_of_samples", epoch(close=lambda t, r, n, bs: (t, r / n))), "the losses of all samples are summed"),
    (_named("means_over_samples", epoch(weigh=lambda l, x, y: l.item())), "the batch means are summed and divided by the number of samples"),
    (_named("samples_over_batches", epoch(close=lambda t, r, n, bs: (t / len(bs), r / n))), "divided by the number of batches"),
    (_named("weighed_by_time", epoch(weigh=lambda l, x, y: l.item() * len(x))), "len(x), and that counts time steps"),
    (_named("counted_by_time", epoch(weigh=lambda l, x, y: l.item() * len(x), count=lambda x, y: len(x))), "the count is divided by len(x)"),
    (_named("last_loss", epoch(weigh=lambda l, x, y: 0, close=lambda t, r, n, bs: (0.0, r / n))), "the loss that is returned is not"),
    (_named("count_of_right", epoch(close=lambda t, r, n, bs: (t / n, r))), "it is a count"),
    (_named("count_as_float", epoch(close=lambda t, r, n, bs: (t / n, float(r)))), "it is a count"),
    (_named("percent", epoch(close=lambda t, r, n, bs: (t / n, 100 * r / n))), "it is a percentage"),
    (_named("right_over_batches", epoch(close=lambda t, r, n, bs: (t / n, r / len(bs)))), "the count is divided by the number of batches"),
    (_named("right_over_last", epoch(close=lambda t, r, n, bs: (t / n, r / len(bs[-1][1])))), "the size of the last batch alone"),
    (_named("error_rate", epoch(close=lambda t, r, n, bs: (t / n, 1 - r / n))), "it is the share of the wrong ones"),
    (_named("argmax_over_the_batch", epoch(hits=lambda logits, y: logits.argmax(0) == y)), "argmax runs over the class axis"),
    (_named("argmin", epoch(hits=lambda logits, y: logits.argmin(-1) == y)), "argmin in place of argmax"),
    (_named("rounded", epoch(close=lambda t, r, n, bs: (round(t / n, 2), round(r / n, 2)))), "the loss that is returned is not"),
    (_named("nan", epoch(close=lambda t, r, n, bs: (float("nan"), r / n))), "the loss is NaN"),
    (mean_of_the_accuracies, "it is the mean of the batches' accuracies"),
    (return_inside_the_loop, "a `return` stands inside it"),
    (step_behind_the_loop, "optimizer.step() stands behind the loop"),
    (step_for_each_sample, "there is a step for each sample"),
    (total_keeps_the_graph, "keeps the graph of every batch"),
    (detached_tensors, ".item() gives the plain number"),
    (accuracy_is_a_tensor, "the accuracy should be a plain float, yours is of type tensor"),
    (float_of_the_loss_list, "the graph of an earlier batch is still in the loss"),
    (retained, "backward goes through weights that a step has changed meanwhile"),
    (no_grad, "cuts the graph"),
    (loss_of_item, "the loss has no graph"),
    (state_carried, "no state is carried from one batch to the next"),
    (by_hand, "by hand or by another optimizer"),
    (an_optimizer_of_its_own, "by hand or by another optimizer"),
    (weights_decayed_by_hand, "the weights changed after the last step"),
    (weights_reset_before, "the weights changed before step 1"),
    (slower, "changed the optimizer: its settings, such as lr,"),
    (forgetful, "changed the optimizer: what it remembers of earlier steps"),
    (second_pass, "it is measured in a second pass"),
    (second_pass_in_eval, "it is measured in a second pass in eval mode"),
    (measured_after_each_step, "each batch is measured after its own step"),
    (measured_in_eval, "it is measured in eval mode"),
    (measured_before, "it is measured before training"),
    (shuffled_in_place, "changed its input batches"),
    (batches_popped, "changed its input batches"),
    (inputs_centred_in_place, "changed its input batches"),
    (swapped, "the loss and the accuracy are swapped"),
    (three_values, "returned 3 values; it should return 2"),
    (as_a_dict, "returned one dict; it should return 2 values, (loss, accuracy)"),
    (running_mean, "the loss that is returned is not"),
    (zeroed_but_for_the_first, "the gradient is not that of batch 1"),
    (only_the_output_layer, "the gradient is not that of batch 1"),
    (only_the_first_sample, "only the first sequence of the batch counts"),
    (label_smoothing, "the gradient is not that of batch 1"),
    (_named("softmax_kept", of(forward=lambda model, x: model(x).softmax(-1))), "softmax is applied before the cross entropy"),
    (_named("last_sequence_for_last_step", of(forward=lambda model, x: model(x)[-1])), "model(x)[-1] is its last SEQUENCE"),
    (_named("squared_error", of(lambda logits, y: F.mse_loss(logits, _one_hot(logits, y)))), "a squared error of the logits"),
    (_named("squared_error_of_softmax", of(lambda logits, y: F.mse_loss(logits.softmax(-1), _one_hot(logits, y)))), "a squared error of the probabilities"),
    (_named("squared_error_of_classes", of(lambda logits, y: F.mse_loss(logits, y.float()))), "the loss is a distance, such as a squared error"),
    (_named("nll_of_probabilities", of(lambda logits, y: F.nll_loss(logits.softmax(-1), y))), "nll_loss was given probabilities"),
    (_named("nll_of_logits", of(F.nll_loss)), "nll_loss was given raw logits"),
    (_named("last_sequence_only", of(lambda logits, y: F.cross_entropy(logits[-1:], y[-1:]))), "only the last sequence of the batch counts"),
    (shuffled, "in the order given"),
    (shuffled_at_every_second_call, "the batches are shuffled"),
]
