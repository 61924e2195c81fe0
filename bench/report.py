"""What was measured, as a table and as a line for each aim."""

import os
import statistics
from importlib.metadata import version

from cells import BASELINE

MEDIAN, NEARLY_ALL = 20, 33  # milliseconds: aims for the median and for 95 % of single changes
FASTER = 8  # times, as against the baseline's median
PAINTED = 0.98  # of the values that stood in a frame of a fast drag
TWO_FRAMES = 33  # milliseconds on top of the empty round trip, where the kernel must compute
AT_ONCE = 80  # milliseconds after the first slider's change: the kernel has not been asked yet
# "painted" is of the values that stood in a frame; of these, "pictures" came in a second under 60 moves of the mouse.
# "frame" is the animation frame that shows the picture as it begins; "median" and "95 %" are when its paint is done.
HEAD = ("explorer", "median", "95 %", "frame", "faster", "painted", "pictures", "bytes", "jump", "kernel", "no kernel")
UNITS = ("", "ms", "ms", "ms", "times", "of values", "a second", "a change", "px", "ms", "ms")


def text(measured):
    """The whole report."""
    rows = {name: row(seen) for name, seen in measured["subjects"].items()}
    quiet, trip = (statistics.median(measured["round_trips"][name]) for name in ("quiet", "busy"))
    base = rows[BASELINE]["median"]
    lines = [_machine_line(measured), "", *_table([HEAD, UNITS, *(_cells(name, r, base) for name, r in rows.items())]), ""]
    lines += [f"Empty round trip to the kernel, median: {quiet:.1f} ms after a pause, {trip:.1f} ms while it is in use, as under a hand.", ""]
    return "\n".join([*lines, *_aims(rows, trip, base)])


def row(seen):
    """The numbers of one subject: milliseconds, shares, bytes and pixels."""
    latencies, drag = [single["painted"] for single in seen["singles"]], seen["drag"]
    changes = max(1, drag["changes"])
    at_once = [pair["painted"] for pair in seen.get("at_once", []) if pair["gap"] < AT_ONCE]
    later = [pair["painted"] for pair in seen.get("later", [])]
    return {
        "median": statistics.median(latencies),
        "most": _most(latencies),
        "frame": statistics.median(single["frame"] for single in seen["singles"]),
        "painted": drag["shown"] / max(1, drag["stood"]),
        "rate": drag["shown"] / drag["seconds"],
        "bytes": drag["bytes"] / changes,
        "jump": drag["jump"],
        "kernel": statistics.median(at_once) if at_once else None,
        "no_kernel": statistics.median(later) if later else None,
    }


def _most(values):
    """The 95th percentile: the smallest value that 95 % do not exceed."""
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def _cells(name, r, base):
    return (
        name,
        f"{r['median']:.1f}",
        f"{r['most']:.1f}",
        f"{r['frame']:.1f}",
        f"{base / r['median']:.1f}",
        f"{r['painted']:.2f}",
        f"{r['rate']:.0f}",
        f"{r['bytes']:,.0f}",
        f"{r['jump']:.1f}",
        *("" if r[key] is None else f"{r[key]:.1f}" for key in ("kernel", "no_kernel")),
    )


def _table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))) for row in rows]
    return [*lines[:2], "-" * len(lines[0]), *lines[2:]]


def _aims(rows, trip, base):
    """A line for each aim of the course."""
    ours = {name: r for name, r in rows.items() if name != BASELINE}
    needing = {name: r["kernel"] for name, r in ours.items() if r["kernel"] is not None}
    return [
        _aim(f"median at most {MEDIAN} ms", {n: r["median"] for n, r in ours.items()}, lambda v: v <= MEDIAN, "{:.1f} ms"),
        _aim(f"95 % at most {NEARLY_ALL} ms", {n: r["most"] for n, r in ours.items()}, lambda v: v <= NEARLY_ALL, "{:.1f} ms"),
        _aim(f"at least {FASTER} times faster than {BASELINE}", {n: base / r["median"] for n, r in ours.items()}, lambda v: v >= FASTER, "{:.1f}"),
        _aim(f"at least {PAINTED} of the values painted", {n: r["painted"] for n, r in ours.items()}, lambda v: v >= PAINTED, "{:.3f}"),
        _aim("no jump in height", {n: r["jump"] for n, r in ours.items()}, lambda v: v < 0.5, "{:.1f} px"),
        _aim(f"kernel needed: at most {trip:.1f} + {TWO_FRAMES} ms", needing, lambda v: v <= trip + TWO_FRAMES, "{:.1f} ms"),
    ]


def _aim(what, values, good, form):
    """ "met" with the numbers' range, or "missed" with the name and the number of each that missed."""
    if not values:
        return f"not measured  {what}"
    missed = {name: value for name, value in values.items() if not good(value)}
    if not missed:
        return f"met     {what}: {form.format(min(values.values()))} to {form.format(max(values.values()))}"
    return f"missed  {what}: " + ", ".join(f"{name} {form.format(value)}" for name, value in missed.items())


def load():
    """How busy the machine was in the last minute: the average number of programs that ran or waited."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def machine(page):
    """On what it was measured."""
    browser = page.context.browser
    return {"cores": os.cpu_count(), "load": load(), "browser": f"Chromium {browser.version}", "lab": f"JupyterLab {version('jupyterlab')}"}


def _machine_line(measured):
    m = measured["machine"]
    return f"{m['cores']} cores, load average {m['load']:.1f} before and {measured['load_after']:.1f} after, {m['browser']}, {m['lab']}"
