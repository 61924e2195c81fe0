"""Feedback: what was wrong, without the code of the hidden tests."""

import re

from nbgrader.preprocessors import ClearHiddenTests
from traitlets import List, Unicode

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class HideTests(ClearHiddenTests):
    """For feedback: no hidden test in the cells, and none in the excerpts of code that a traceback shows."""

    # nbgrader's base class hides this from the configuration, and nbconvert then warns that it is unknown.
    display_data_priority = List(Unicode()).tag(config=True)

    def preprocess_cell(self, cell, resources, cell_index):
        hidden = self._hidden_lines(cell.source)
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        for output in cell.get("outputs", []):
            if hidden and output.output_type == "error":
                output.traceback = [_without(hidden, part) for part in output.traceback]
        return cell, resources

    def _hidden_lines(self, source):
        begin, end = re.escape(self.begin_test_delimeter), re.escape(self.end_test_delimeter)
        regions = re.findall(rf"^.*{begin}.*$[\s\S]*?^.*{end}.*$", source, flags=re.MULTILINE)
        return [line.strip() for region in regions for line in region.splitlines() if line.strip()]


def _without(hidden, text):
    lines = text.split("\n")
    return "\n".join(line for line in lines if not any(part in ANSI.sub("", line) for part in hidden))
