"""Explorers: pictures with sliders, one or two for each lesson. `explorer.py` explains how one is made."""

from .broken_laws import broken_laws
from .carry import carry, memory
from .cell_step import cell_step
from .decision import decision
from .epochs import epochs
from .input_sequence import input_sequence
from .output_layer import output_layer
from .softmax import softmax
from .zero_state import zero_state

__all__ = ["broken_laws", "carry", "cell_step", "decision", "epochs", "input_sequence", "memory", "output_layer", "softmax", "zero_state"]
