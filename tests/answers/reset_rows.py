"""Answers to `reset_rows(h, done)`: zero the state of the sequences that ended."""

import torch


def mask_as_a_column(h, done):
    return h * (1 - done)[:, None]


def where(h, done):
    return torch.where(done.bool().unsqueeze(1), torch.zeros_like(h), h)


def masked_fill(h, done):
    return h.masked_fill(done.view(-1, 1) > 0.5, 0.0)


def clone_then_index(h, done):
    new = h.clone()
    new[done == 1] = 0
    return new


def loop_over_the_rows(h, done):
    return torch.stack([row if not ended else torch.zeros_like(row) for row, ended in zip(h, done)])


def einsum(h, done):
    return torch.einsum("bh,b->bh", h, 1 - done)


def diagonal_matrix(h, done):
    return torch.diag(1 - done) @ h


def transposed(h, done):
    return (h.T * (1 - done)).T


def index_fill(h, done):
    return h.index_fill(0, done.nonzero().flatten(), 0.0)


def out_of_place_subtraction(h, done):
    return h - h * done.reshape(len(h), 1).expand_as(h)


def detached(h, done):
    return h.detach() * (1 - done)[:, None]


def data(h, done):
    new = h.data.clone()
    new[done.bool()] = 0
    return new


def detached_where_one_is_done(h, done):
    return (h.detach() if done.any() else h) * (1 - done)[:, None]


RIGHT = [
    mask_as_a_column,
    where,
    masked_fill,
    clone_then_index,
    loop_over_the_rows,
    einsum,
    diagonal_matrix,
    transposed,
    index_fill,
    out_of_place_subtraction,
    detached,
    data,
    detached_where_one_is_done,
]


def shipped_again(h, done):
    return h * (1.0 - done)


def shipped_with_unsqueeze_in_front(h, done):
    return h * (1 - done.unsqueeze(0))


def mask_round_the_wrong_way(h, done):
    return h * done[:, None]


def nothing(h, done):
    return h


def everything(h, done):
    return h * 0


def first_row_only(h, done):
    new = h.clone()
    new[0] = 0
    return new


def everything_if_one_is_done(h, done):
    return torch.zeros_like(h) if done.any() else h


def in_place(h, done):
    h[done == 1] = 0
    return h


def in_place_behind_autograd(h, done):
    h.data[done == 1] = 0
    return h.clone()


def multiplied_in_place(h, done):
    h *= (1 - done)[:, None]
    return h


def column_zeroed(h, done):
    new = h.clone()
    new[:, done == 1] = 0
    return new


def column_zeroed_if_square(h, done):
    return h * (1 - done) if h.shape[0] == h.shape[1] else h * (1 - done)[:, None]


def one_row_only(h, done):
    new = h.clone()
    new[done.argmax()] = 0
    return new


def ones(h, done):
    return torch.where(done.bool()[:, None], 1.0, h)


def float32(h, done):
    return (h * (1 - done)[:, None]).float()


def rows_dropped(h, done):
    return h[done == 0]


def list_of_rows(h, done):
    return [row * (1 - d) for row, d in zip(h, done)]


def no_return(h, done):
    new = h.clone()
    new[done == 1] = 0


def off_by_one(h, done):
    return h * (1 - done.roll(1))[:, None]


_ended = {}


def global_mask(h, done):
    _ended[len(done)] = _ended.get(len(done), 0) + done
    return h * (1 - _ended[len(done)])[:, None]


def worked_example_only(h, done):
    return torch.cat([torch.zeros_like(h[:1]), h[1:]])


def not_the_last(h, done):
    keep = 1 - done[:, None]
    keep[-1] = 1
    return h * keep


def mask_inverted_as_bool(h, done):
    return h * (1 - done.bool())[:, None]


RIGHT += [in_place, in_place_behind_autograd, multiplied_in_place]
"""The lesson leaves open whether the inputs stay as they are."""

WRONG = [
    (shipped_again, "the same mistake as in the code you were given"),
    (shipped_with_unsqueeze_in_front, "the same mistake as in the code you were given"),
    (mask_round_the_wrong_way, "the mask is the wrong way round"),
    (nothing, "nothing is reset"),
    (everything, "everything is reset"),
    (first_row_only, "wrong numbers"),
    (worked_example_only, "wrong numbers"),
    (everything_if_one_is_done, "every sequence is reset as soon as one of them ends"),
    (column_zeroed, "the mask runs along the hidden units"),
    (column_zeroed_if_square, "wrong numbers"),
    (one_row_only, "wrong numbers"),
    (ones, "set to 1 and not to 0"),
    (float32, "should be torch.float64; yours is torch.float32"),
    (rows_dropped, "should have the shape"),
    (list_of_rows, "torch.stack with dim=0 joins them into"),
    (no_return, "returned None"),
    (off_by_one, "wrong numbers"),
    (global_mask, "something is kept from one call to the next"),
    (not_the_last, "wrong numbers"),
    (mask_inverted_as_bool, "use ~mask"),
]
