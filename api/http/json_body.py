"""A request body: bounded bytes, then strict JSON, then a declared shape. FastAPI's own way accepts duplicate keys, NUL
and lone surrogates, and shows what it refuses; here every fault is a problem that names a declared field or none."""

import json
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from email.message import Message
from functools import lru_cache
from re import compile
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.http.schema_messages import Place, whole
from domain.errors import MalformedBody, PayloadTooLarge, Problem, UnsupportedMediaType
from domain.onboarding.catalogue import unknown_fields

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_DIGITS = 19
MAX_VALUES = 10_000
"""All other requests wait while a body is read, so one that takes long is refused before."""

Model = TypeVar("Model", bound=BaseModel)

_CONTROL = compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_PROBLEMS = {
    "missing": ("missing", "is missing"),
    "string_too_long": ("too_long", "is too long"),
    "string_too_short": ("too_short", "is too short"),
    "too_long": ("too_long", "is too long"),
    "too_short": ("too_short", "is too short"),
    "string_type": ("wrong_type", "is of the wrong type"),
    "bool_type": ("wrong_type", "is of the wrong type"),
    "dict_type": ("wrong_type", "is of the wrong type"),
    "literal_error": ("unknown_value", "is not one of the values allowed"),
    "bad_characters": ("bad_characters", "contains a character that is not allowed"),
}


def json_body(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that reads the body as `model`. Raises what `read_json` and `shaped` raise."""

    async def parse(request: Request) -> Model:
        return shaped(model, await read_json(request))

    return parse


async def read_json(request: Request, *, optional: bool = False) -> object:
    """The body's JSON, an empty object for no body when it is `optional`. Raises PayloadTooLarge,
    UnsupportedMediaType, MalformedBody."""
    raw = await _read(request)
    if optional and not raw:
        return {}
    _check_media_type(request)
    return strict_json(raw)


def strict_json(raw: bytes) -> object:
    """The value of one JSON text in UTF-8. Raises MalformedBody."""
    # A comma stands before each value of a list or an object but the first; those in texts are few.
    if raw.count(b",") >= MAX_VALUES:
        raise _malformed("too_many_values", f"The body has {MAX_VALUES} commas or more.")
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_object,
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_integer,
        )
    except (ValueError, RecursionError):
        # From None: the decoder's error holds the whole document.
        raise _malformed("not_json", "The body is not valid JSON in UTF-8.") from None
    for problem in _faults(value, depth=1):
        raise _malformed(*problem)
    return value


def shaped(model: type[Model], value: object) -> Model:
    """The value as `model`. Raises MalformedBody with every problem."""
    if not isinstance(value, dict):
        raise _malformed("not_an_object", f"The body must be {whole(schema_of(model)).allowed}, as JSON.")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = list(_problems(model, error.errors(include_url=False, include_context=False, include_input=False)))
    raise MalformedBody(problems=problems)


async def _read(request: Request) -> bytes:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BYTES:
            raise PayloadTooLarge
    return bytes(raw)


def _check_media_type(request: Request) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "text/plain")
    charset = str(header.get_param("charset", "utf-8")).lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    if header.get_content_type() != "application/json" or charset != "utf-8" or encoding != "identity":
        raise UnsupportedMediaType


def _malformed(code: str, message: str) -> MalformedBody:
    return MalformedBody(problems=[Problem(code, message, pointer="")])


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("duplicate_key", "An object in the body has the same key twice.")
    return found


def _not_finite(text: str) -> NoReturn:
    raise _malformed("not_finite", "NaN and Infinity are not JSON.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise _malformed("number_too_long", f"A number in the body has more than {MAX_DIGITS} digits.")
    return int(text)


def _faults(value: object, *, depth: int) -> Iterator[tuple[str, str]]:
    """What the decoder lets pass. A new line and a tab are allowed: keys and key files have them."""
    if depth > MAX_DEPTH:
        yield "too_deep", f"The body is nested deeper than {MAX_DEPTH} levels."
    elif isinstance(value, str):
        if _CONTROL.search(value):
            yield "control_character", "A text in the body contains a control character or half a surrogate pair."
    elif isinstance(value, dict | list):
        members = [*value, *value.values()] if isinstance(value, dict) else value
        for member in members:
            yield from _faults(member, depth=depth + 1)


def _problems(model: type[BaseModel], errors: list[Any]) -> Iterator[Problem]:
    """A location of pydantic's may hold a key that the caller made up: such keys are counted and not named."""
    body = whole(schema_of(model))
    unknown: Counter[str] = Counter()
    places: dict[str, Place] = {}
    named: dict[str, Problem] = {}
    for error in errors:
        if error["type"] == "extra_forbidden":
            place = body.at(error["loc"][:-1])
            places[place.pointer] = place
            unknown[place.pointer] += 1
        else:
            place = body.at(error["loc"])
            # A field that may be of two types has an error for each; one is enough.
            named.setdefault(place.pointer, _problem(place, error["type"]))
    yield from named.values()
    for pointer, times in unknown.items():
        place = places[pointer]
        yield unknown_fields(times, place.fields, pointer=pointer, where=place.name)


def _problem(place: Place, kind: str) -> Problem:
    code, words = _PROBLEMS.get(kind, ("invalid", "is not acceptable"))
    sentence = f"{place.name or 'The body'} {words}; it must be {place.allowed}."
    return Problem(code, f"{sentence} {place.description}".rstrip(), pointer=place.pointer)


@lru_cache(maxsize=100)
def schema_of(model: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema of a body."""
    return model.model_json_schema()
