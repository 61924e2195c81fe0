"""What a session of the sandbox may use, and what is said where there can be none: known without loading PyTorch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a session may use. Times are in seconds, sizes in bytes; play_seconds: one exercise with all its cases;
    files: its scratch folder; output: what is kept of a cell's; answer: the largest message back."""

    cell_seconds: float = 60.0
    play_seconds: float = 60.0
    total_seconds: float = 300.0
    memory: int = 4 * 2**30
    files: int = 64 * 2**20
    output: int = 2**20
    answer: int = 64 * 2**20


class SandboxMissing(Exception):
    """This machine cannot confine what it runs. The message says what is missing and what to do."""
