"""What a JSON schema allows, in words, and the place in it that an error of pydantic's is about.

A message is made of the schema alone, so it never repeats what was sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

UUID, DATE_TIME, HOLDER = "uuid", "date-time", "tenant-or-platform"
FORMATS = {
    UUID: "a UUID in lower case",
    DATE_TIME: "a date and time with its offset, such as 2026-11-24T00:00:00Z",
    HOLDER: "a tenant's UUID, or platform",
}

_IDS = frozenset({"tenant_id", "account_id", "onboarding_id", "schedule_id", "execution_id", "scan_id"})
_TIMES = frozenset({"since", "until", "at"})


def format_of(name: str, schema: Schema) -> str | None:
    """The format of a text: the one that it declares, or what its name says all over the API."""
    if schema.get("type") != "string" or "enum" in schema or "const" in schema:
        return None
    if "format" in schema:
        return str(schema["format"])
    if name in _IDS or name.endswith("_execution_id"):
        return UUID
    return DATE_TIME if name in _TIMES or name.endswith(("_at", "_times")) else None


@dataclass(frozen=True)
class Place:
    """A declared place in a schema."""

    pointer: str
    """JSON pointer to it."""
    name: str
    """The same for people; empty for the whole."""
    schema: Schema
    definitions: Schema

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def allowed(self) -> str:
        """What may be there, to be read after "must be"."""
        branches = _branches(self.schema, self.definitions)
        return " or ".join(_one(self.pointer.rpartition("/")[2], branch, self.definitions) for branch in branches)

    @property
    def fields(self) -> list[str]:
        """Of an object that has declared fields."""
        branches = _branches(self.schema, self.definitions)
        return [name for branch in branches for name in branch.get("properties", {})]

    def at(self, location: Sequence[object]) -> "Place":
        """The place that an error is about. What the schema does not declare is left out of the way: the name of a
        branch, which pydantic adds, and a key, which the caller may have made up."""
        found = self
        for part in location:
            found = found._inside(part) or found
        return found

    def _inside(self, part: object) -> "Place | None":
        for branch in _branches(self.schema, self.definitions):
            if isinstance(part, int) and "items" in branch:
                return Place(f"{self.pointer}/{part}", f"{self.name}[{part}]", branch["items"], self.definitions)
            if part in branch.get("properties", {}):
                name = f"{self.name}.{part}" if self.name else str(part)
                return Place(f"{self.pointer}/{part}", name, branch["properties"][part], self.definitions)
        return None


def whole(schema: Schema) -> Place:
    """The place that a schema of pydantic's is about."""
    return Place("", "", schema, schema.get("$defs", {}))


def _branches(schema: Schema, definitions: Schema) -> list[Schema]:
    """The schemas of which one must fit, without null: what may be null may be left out as well."""
    if "$ref" in schema:
        return _branches(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if not choices:
        return [] if schema.get("type") == "null" else [schema]
    beside = {name: schema[name] for name in ("minimum", "maximum", "format") if name in schema}
    return [{**branch, **beside} for choice in choices for branch in _branches(choice, definitions)]


def _one(name: str, schema: Schema, definitions: Schema) -> str:
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return "one of: " + ", ".join(str(value) for value in schema["enum"])
    match schema.get("type"):
        case "integer" | "number" as kind:
            return " ".join(["a whole number" if kind == "integer" else "a number", *_range(schema)])
        case "boolean":
            return "true or false"
        case "array":
            return _list(schema, definitions)
        case "object":
            fields = ", ".join(schema.get("properties", ()))
            return f"an object with the fields {fields}" if fields else "an object"
        case "string":
            return FORMATS.get(format_of(name, schema) or "", " ".join(["text", *_length(schema)]))
    return "another value"


def _list(schema: Schema, definitions: Schema) -> str:
    least, most = schema.get("minItems"), schema.get("maxItems")
    item = Place("", "", schema.get("items", {}), definitions)
    count = f"{least} to {most}" if least else f"at most {most}"
    size = f"a list of {count} items" if most is not None else "a list"
    return f"{size}, each {item.allowed}"


def _range(schema: Schema) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        yield f"from {least} to {most}"
    elif least is not None:
        yield f"of at least {least}"
    elif most is not None:
        yield f"of at most {most}"


def _length(schema: Schema) -> Iterator[str]:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least and most is not None:
        yield f"of {least} to {most} characters"
    elif most is not None:
        yield f"of at most {most} characters"
    elif least:
        yield f"of at least {least} characters"
    if "pattern" in schema:
        yield f"of the form {schema['pattern']}"
