"""What the course's network reads and what is said of it: one bee, five sensors, three places. The same names on every page.

A bee has come home and dances. Ten glances at her are ten time steps; at each, five sensors give a number. Three places have
flowers, and the network says to which of them she points.
"""

FEATURES = ("east", "north", "buzz", "scent", "call")
"""east, north: where she points; buzz, scent: tell nothing of the place; call: a sister asks "where?"."""

CLASSES = ("clover", "linden", "heather")
"""Clover lies to the east (0°), linden to the north-west (120°), heather to the south-west (240°)."""


def class_names(count):
    """The names of `count` classes: the three places, or their numbers where there are not three."""
    return CLASSES if count == len(CLASSES) else tuple(f"class {c}" for c in range(count))


def feature_names(count):
    """The names of `count` features with their indices: "0 east", or the index alone where there are not five."""
    return tuple(f"{f} {name}" for f, name in enumerate(FEATURES)) if count == len(FEATURES) else tuple(str(f) for f in range(count))
