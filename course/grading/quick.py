"""Imported first where a program should start soon.

jsonschema, which comes with nbformat, builds a grammar of internet addresses when it is imported, for half a second in every process. It does
without where there is none, and nothing in a notebook's schema is an address.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)
