"""A bar for what takes its time."""


class Progress:
    """A bar on stderr with the time left. Entered, it gives watch(what, done, of)."""

    def __init__(self, words):
        from rich.console import Console  # it takes a moment, and --help should not
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True)
        self.bar, self.words = Bar(*columns, console=Console(stderr=True)), words

    def __enter__(self):
        self.bar.start()
        self.task = self.bar.add_task(self.words, total=None)
        return self.watch

    def watch(self, what, done, of):
        self.bar.update(self.task, completed=done, total=of)

    def __exit__(self, *error):
        self.bar.stop()
