"""nbgrader looks at the marks of every cell by a JSON schema, and each time at the schema too: here at the schema once."""

import functools
import json
from types import SimpleNamespace
from unittest import mock

from nbgrader.nbgraderformat import common

JSONSCHEMA = common.jsonschema


def looked_at_once():
    """While inside, nbgrader's own validation finds the same errors and takes a quarter of the time."""
    return mock.patch.object(common, "jsonschema", SimpleNamespace(validate=validate))


def validate(instance, schema):
    """As `jsonschema.validate`: raises its ValidationError, or SchemaError for what is no schema."""
    error = JSONSCHEMA.exceptions.best_match(_validator(json.dumps(schema)).iter_errors(instance))
    if error is not None:
        raise error


@functools.cache
def _validator(text):
    schema = json.loads(text)
    kind = JSONSCHEMA.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)
