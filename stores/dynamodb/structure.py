"""Things from rows: a dataclass is built from what DynamoDB gives, and every value must have the type of its field.
Nothing is converted by guess, because a row may have been written by another program or another version."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Thing = TypeVar("Thing")

UNKNOWN = "UNKNOWN"
"""The member of an enum that stands for every value that this version does not know."""

_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


class OtherForm(ValueError):
    """The row does not have the form of the thing. Names the attribute, never its value."""


def structured(kind: Callable[..., Thing], row: Mapping[str, Any], *, later: Sequence[str] = ()) -> Thing:
    """Build the dataclass `kind` from `row`. An attribute may be missing when its field is optional, or when it is one
    of `later`: those that came after the first rows were written. Raises OtherForm."""
    hints, values = _hints(kind), {}
    untyped: Any = kind
    for field in fields(untyped):
        name, wanted = field.name, hints[field.name]
        if name in row:
            values[name] = _value(wanted, row[name], name)
        elif _is_optional(wanted):
            values[name] = None
        elif name not in later:
            raise OtherForm(name)
    return kind(**values)


def _value(wanted: Any, value: Any, name: str) -> Any:
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        return None if value is None else _value(_without_none(wanted), value, name)
    if origin is tuple:
        return _tuple(wanted, value, name)
    if origin is not None:
        return _mapping(value, name)
    if is_dataclass(wanted):
        if not isinstance(value, Mapping):
            raise OtherForm(name)
        made: Any = wanted
        return structured(made, value)
    if issubclass(wanted, StrEnum):
        return _member(wanted, value, name)
    return _plain(wanted, value, name)


def _tuple(wanted: Any, value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise OtherForm(name)
    return tuple(_value(get_args(wanted)[0], each, name) for each in value)


def _mapping(value: Any, name: str) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise OtherForm(name)
    return value


def _member(wanted: type[StrEnum], value: Any, name: str) -> StrEnum:
    if isinstance(value, str):
        if value in wanted.__members__.values():
            return wanted(value)
        if UNKNOWN in wanted.__members__:
            return wanted[UNKNOWN]
    raise OtherForm(name)


def _plain(wanted: Any, value: Any, name: str) -> Any:
    if wanted is int and isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return int(value)
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is str and isinstance(value, str) and (not _is_time(name) or _is_stamp(value)):
        return value
    raise OtherForm(name)


def _is_time(name: str) -> bool:
    """Whether lists compute with it."""
    return name == "at" or name.endswith("_at")


def _is_stamp(text: str) -> bool:
    try:
        return _STAMP.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False


@lru_cache(maxsize=64)  # the kinds of rows that we have
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _is_optional(wanted: Any) -> bool:
    return NoneType in get_args(wanted)


def _without_none(wanted: Any) -> Any:
    return next(each for each in get_args(wanted) if each is not NoneType)
