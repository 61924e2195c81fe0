"""Frames between the grader and what it runs: JSON for the structure, raw bytes for tensors. Nothing here can execute.

Used on both sides of the border. A frame is two lengths, a JSON header {"body": …, "sizes": [bytes of each blob]} and the blobs.
Plain values stand in the body as they are; what JSON does not know is a dict with one key: tuple, dict, tensor, bytes, ellipsis.
"""

import json
import math
import struct
import time

import torch

MESSAGE, ANSWER = struct.Struct("!ci"), struct.Struct("!iii")
"""Between grader and zygote: a letter and a pid; a pid, whether it ended by itself, and its wait status."""
LENGTHS = struct.Struct("!IQ")
HEADER_BACK = 4 * 2**20
"""The largest header that comes back. JSON takes many times its size in memory when it is read."""
DEPTH = 20
DTYPES = {str(kind): kind for kind in vars(torch).values() if isinstance(kind, torch.dtype)}


class WireError(Exception):
    """A frame that is not valid."""


class Closed(Exception):
    """The other side is gone."""


def pack(value):
    """A frame as bytes. value: None, bool, int, float, str, bytes, Ellipsis, tensors on the CPU or meta; lists, tuples and dicts of these."""
    blobs = []
    body = _encode(value, blobs)
    header = json.dumps({"body": body, "sizes": [len(blob) for blob in blobs]}, ensure_ascii=False).encode("utf-8", "replace")
    return b"".join([LENGTHS.pack(len(header), sum(map(len, blobs))), header, *blobs])


def _encode(value, blobs):
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):  # the plain value of a subclass, such as numpy.float64
        if isinstance(value, kind):
            return kind.__new__(kind, value)
    if value is ...:
        return {"ellipsis": True}
    if isinstance(value, bytes):
        blobs.append(value)
        return {"bytes": len(blobs) - 1}
    if isinstance(value, torch.Tensor):
        return {"tensor": _encode_tensor(value.detach(), blobs)}
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, blobs) for item in value]}
    if isinstance(value, list):
        return [_encode(item, blobs) for item in value]
    if isinstance(value, dict):
        return {"dict": [[_encode(key, blobs), _encode(item, blobs)] for key, item in value.items()]}
    raise WireError(f"a value of type {type(value).__name__} does not cross")


def _encode_tensor(tensor, blobs):
    """[dtype, shape, number of its blob]; on the meta device there are no bytes, and no number."""
    place = None
    if tensor.device.type != "meta":
        flat = tensor.resolve_conj().resolve_neg().contiguous().reshape(-1)
        blobs.append(flat.view(torch.uint8).numpy().tobytes())
        place = len(blobs) - 1
    return [str(tensor.dtype), list(tensor.shape), place]


def unpack(header, blob):
    """The value in a frame. Raises WireError for whatever is not just as `pack` makes it."""
    try:
        found = json.loads(header)
        if set(found) != {"body", "sizes"} or not all(type(size) is int and size >= 0 for size in found["sizes"]):
            raise WireError("a header without its parts")
        if sum(found["sizes"]) != len(blob):
            raise WireError("blobs of other sizes than it says")
        return _decode(found["body"], _split(memoryview(blob), found["sizes"]), DEPTH)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, MemoryError, RuntimeError) as error:
        raise WireError(f"{type(error).__name__} in a frame") from None


def _split(blob, sizes):
    parts, place = [], 0
    for size in sizes:
        parts.append(blob[place : place + size])
        place += size
    return parts


def _decode(body, blobs, depth):
    if depth == 0:
        raise WireError("nested too deep")
    if isinstance(body, str):
        return body.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written to a file
    if body is None or isinstance(body, (bool, int, float)):
        return body
    if isinstance(body, list):
        return [_decode(item, blobs, depth - 1) for item in body]
    ((kind, inner),) = body.items()
    if kind == "ellipsis" and inner is True:
        return ...
    if kind == "tuple" and isinstance(inner, list):
        return tuple(_decode(item, blobs, depth - 1) for item in inner)
    if kind == "dict" and isinstance(inner, list):
        return {_key(key): _decode(item, blobs, depth - 1) for key, item in inner}
    if kind == "bytes" and type(inner) is int and inner >= 0:
        return bytes(blobs[inner])
    if kind == "tensor":
        return _decode_tensor(*inner, blobs)
    raise WireError(f"no value of the kind {kind!r:.40}")


def _key(key):
    if isinstance(key, str):
        return key.encode("utf-8", "replace").decode()
    if key is None or isinstance(key, (bool, int, float)):
        return key
    raise WireError("a key that is no plain value")


def _decode_tensor(dtype, shape, place, blobs):
    if dtype not in DTYPES or not isinstance(shape, list) or not all(type(size) is int and 0 <= size < 2**40 for size in shape) or len(shape) > 64:
        raise WireError("a tensor of no known dtype and shape")
    count = math.prod(shape)
    if place is None:
        return torch.empty(shape, dtype=DTYPES[dtype], device="meta")
    if type(place) is not int or place < 0:
        raise WireError("a tensor without its bytes")
    data = blobs[place]
    if len(data) != count * DTYPES[dtype].itemsize:
        raise WireError("a tensor with more or fewer bytes than its shape has")
    if not count:
        return torch.empty(shape, dtype=DTYPES[dtype])
    if DTYPES[dtype] == torch.bool:  # a byte other than 0 and 1 is no bool, and counts differently from one operation to the next
        return (torch.frombuffer(bytearray(data), dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(bytearray(data), dtype=DTYPES[dtype]).reshape(shape)


def send(sock, frame, deadline=None):
    """Send a frame made by `pack`. Raises TimeoutError after the deadline (of time.monotonic), Closed if nobody is there."""
    try:
        sock.settimeout(_left(deadline))
        sock.sendall(frame)
    except TimeoutError:
        raise
    except OSError:
        raise Closed from None


def header_size(frame):
    """The size of the header in a frame."""
    return LENGTHS.unpack_from(frame)[0]


def share(most, cases):
    """The largest answer for one case, where all together may be so large."""
    return max(2**20, most // max(1, len(cases)))


def receive(sock, deadline=None, most=None):
    """The next value. most: the largest frame that is accepted, in bytes. Raises Closed, TimeoutError or WireError."""
    lengths = LENGTHS.unpack(_exactly(sock, LENGTHS.size, deadline))
    if most is not None and (lengths[0] > HEADER_BACK or sum(lengths) > most):
        raise WireError("a frame that is too large")
    first = _exactly(sock, lengths[0], deadline)
    return unpack(first, _exactly(sock, lengths[1], deadline))


def _exactly(sock, size, deadline):
    data = bytearray()
    while len(data) < size:
        try:
            sock.settimeout(_left(deadline))
            more = sock.recv(min(size - len(data), 2**20))
        except TimeoutError:
            raise
        except OSError:
            raise Closed from None
        if not more:
            raise Closed
        data += more
    return data


def _left(deadline):
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
