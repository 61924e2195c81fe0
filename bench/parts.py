"""Where the time of `course grade` goes: seconds of the processor, by what each of its processes does."""

import contextlib
import threading
import time

import psutil

EVERY = 0.1
MAIN, READER, SERVER, WORKER, ZYGOTE, SESSIONS = "recording", "reading", "loading", "judging", "loading inside", "running"
PARTS = {
    MAIN: "the process that grades: nbgrader, recording, the table",
    READER: "reading and cleaning submissions",
    SERVER: "PyTorch and the course, once for all workers",
    WORKER: "judging, and talking with the sandbox",
    ZYGOTE: "PyTorch and the course in the sandbox, once for each worker",
    SESSIONS: "students' cells, and playing exercises",
}


class Parts(threading.Thread):
    """Watches a process and all that descend from it until it ends; then `seconds` has {part: seconds of the processor}."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.parts, self.taken = pid, {}, {}

    def run(self):
        while psutil.pid_exists(self.pid):
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(self.pid)
                for process in (parent, *parent.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        self._look_at(process)
            time.sleep(EVERY)

    def _look_at(self, process):
        if process.pid not in self.parts:
            words = process.cmdline()
            if not words:  # it is being made, or has ended
                return
            self.parts[process.pid] = self._part(process, words)
        times, part = process.cpu_times(), self.parts[process.pid]
        self.taken[process.pid] = {part: times.user + times.system}
        if part == ZYGOTE:  # of each session that has ended; a session lives too shortly to be watched
            self.taken[process.pid][SESSIONS] = times.children_user + times.children_system

    def _part(self, process, words):
        if process.pid == self.pid:
            return MAIN
        if "course.grading.intake.reader" in words[-1]:
            return READER
        if any("multiprocessing.forkserver" in word for word in words):
            return WORKER if self.parts.get(process.ppid()) in (SERVER, WORKER) else SERVER
        if any("hidden_state_inside" in word for word in words) and not words[0].endswith("bwrap"):
            return None if self.parts.get(process.ppid()) == ZYGOTE else ZYGOTE
        return None

    @property
    def seconds(self):
        """{part: seconds of the processor}."""
        return {part: sum(taken.get(part, 0.0) for taken in self.taken.values()) for part in PARTS}


def in_a_line(seconds):
    """The parts of one run, in short."""
    return ", ".join(f"{part} {value:.1f}" for part, value in seconds.items() if value >= 0.05) + f": {sum(seconds.values()):.1f} s of the processor"


def legend():
    """What the parts are."""
    return [f"  {part:15} {what}" for part, what in PARTS.items()]
