"""The OpenAPI document made whole: what FastAPI cannot see by itself, because `api.http.json_body` reads the bodies,
middleware sets the headers, and the catalogue knows what a credential consists of."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from api.http.openapi import BODIES, REF, TAGS
from api.http.openapi_links import with_links
from api.http.schema_messages import FORMATS, format_of
from domain.onboarding.catalogue import AuthMethod, CredentialField, ProviderDescription
from domain.ports import Catalogue

Schema = dict[str, Any]

HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-Id": ("string", "Names the request in our logs; the caller's own one when it sent one of that form."),
    "Retry-After": ("integer", "Seconds after which to repeat the request."),
    "Location": ("string", "Where to look on."),
    "Idempotency-Replayed": ("string", "`true` when this is the answer of an earlier request of the same key."),
    "WWW-Authenticate": ("string", "How to authenticate, or the scope that is missing."),
}

_CREDENTIALS = ("ValidateCredentialRequest", "credentials")


def completed(document: Schema, catalogue: Catalogue | None) -> Schema:
    """Without a catalogue, as in tests of the documentation, credentials stay objects of any fields."""
    schemas = document["components"].setdefault("schemas", {})
    schemas.update(_bodies())
    if catalogue is not None:
        _type_credentials(schemas, [catalogue.provider(name).description for name in catalogue.names()])
    document["components"]["headers"] = {
        name: {"description": description, "schema": {"type": kind}} for name, (kind, description) in HEADERS.items()
    }
    document["tags"] = [{"name": name, "description": description} for name, description in TAGS.items()]
    for method, operation in _operations(document):
        operation.setdefault("security", [])  # of a public route: none is needed
        for status, answer in operation["responses"].items():
            answer["headers"] = {
                name: {"$ref": f"#/components/headers/{name}"} for name in _headers(method, status, answer)
            }
        for parameter in operation.get("parameters", ()):
            _add_format(parameter["name"], parameter["schema"])
    enums = {tuple(schema["enum"]): name for name, schema in schemas.items() if "enum" in schema}
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            _add_format(name, field)
            _name_enum(field, enums)
    return with_links(document)


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    for operations in document["paths"].values():
        yield from operations.items()


def _headers(method: str, status: str, answer: Schema) -> list[str]:
    known = {"X-Request-Id", *answer.get("headers", ())}
    if method == "post" and status[0] in "24" and status not in ("202", "401", "403", "429"):
        known.add("Idempotency-Replayed")
    return [name for name in HEADERS if name in known]


def _bodies() -> Schema:
    models = [(model, "validation") for model in BODIES]
    _, found = models_json_schema(models, ref_template=REF + "{model}")  # type: ignore[arg-type]
    return dict(found["$defs"])


def _add_format(name: str, schema: Schema) -> None:
    """To the text that an id or a time is, also where it may be null, and to those of a list."""
    for place in _places(schema):
        found = format_of(name, place)
        if found in FORMATS:
            place["format"] = found


def _name_enum(field: Schema, enums: Mapping[tuple[str, ...], str]) -> None:
    """A body lists the values that it takes. Where they are all of an enum, a client has one type for both."""
    for place in _places(field):
        name = enums.get(tuple(place.get("enum", ())))
        if name is not None:
            for part in ("type", "enum"):
                place.pop(part)
            place["$ref"] = REF + name


def _places(field: Schema) -> Iterator[Schema]:
    """The schema of a value, those that it may have, and those of the items of a list."""
    for branch in (field, *field.get("anyOf", ())):
        yield branch
        if "items" in branch:
            yield branch["items"]


def _type_credentials(schemas: Schema, clouds: list[ProviderDescription]) -> None:
    made = {_name(method): _credential(cloud, method) for cloud in clouds for method in cloud.methods}
    schemas.update(made)
    body, name = _CREDENTIALS
    known = schemas[body]["properties"][name]
    kept = {said: known[said] for said in ("title", "description", "writeOnly") if said in known}
    schemas[body]["properties"][name] = {**kept, "oneOf": [{"$ref": REF + each} for each in made]}


def _name(method: AuthMethod) -> str:
    return "".join(word.title() for word in method.credential_type.split("_")) + "Credentials"


def _credential(cloud: ProviderDescription, method: AuthMethod) -> Schema:
    description = f"Of `{method.method}` of {cloud.name}. {method.description}"
    return {**_object(method.fields), "description": description, "additionalProperties": False}


def _object(fields: tuple[CredentialField, ...]) -> Schema:
    properties = {field.name: _field(field) for field in fields}
    return {"type": "object", "properties": properties, "required": [field.name for field in fields if field.required]}


def _field(field: CredentialField) -> Schema:
    text: Schema = {"type": "string", "maxLength": field.max_characters, "pattern": f"^\\s*(?:{field.pattern})\\s*$"}
    choices = [{**_object(field.members), "title": "Object"}, text] if field.members else [text]
    if not field.required:
        choices.append({"type": "null"})
    said: Schema = {"description": field.description}
    if field.secret or field.members:
        said["writeOnly"] = True
    return {**choices[0], **said} if len(choices) == 1 else {**said, "anyOf": choices}
