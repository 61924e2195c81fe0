"""What was asked for: which item goes into which column."""


class ExportError(Exception):
    """Nothing can be exported. The message says why, in words that may follow a file's name."""


def folded(text):
    """A title as it is compared: letters and digits alone, so that 02_zero_init is "02 Zero init"."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def columns_of(wanted, items):
    """{item: title} of --column's ITEM=TITLE; of a TITLE alone, where there is only one item. Raises ExportError."""
    found = {}
    for text in wanted:
        item, equals, title = text.partition("=")
        if equals and item in items:
            found[item] = title
        elif len(items) == 1 and item not in items:
            found[next(iter(items))] = text
        else:
            raise ExportError(f"--column {text!r} should be ITEM=TITLE, and ITEM one of: {', '.join(items)}")
    return found
