"""Rows and DynamoDB items, and the expressions between them. Every attribute is named with a `#`, because DynamoDB
reserves many plain words (status, name, owner)."""

import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from domain.errors import PayloadTooLarge, UnknownValue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

Row = Mapping[str, Any]

MAX_ROW_BYTES = 128 * 1024
"""A third of what DynamoDB takes. Nothing that we store comes near it, unless something is wrong with it."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


def is_id(text: str) -> bool:
    """Whether a text can be the id of a tenant or an account. Nothing else is looked up: not a claim item, and not
    what DynamoDB would refuse as a key."""
    return _ID.fullmatch(text) is not None


def to_item(row: Row) -> "dict[str, AttributeValueTypeDef]":
    """Attributes that are None are left out. Raises PayloadTooLarge, and UnknownValue for what a newer version wrote:
    to write it back would lose it."""
    if _is_unknown(row.values()):
        raise UnknownValue
    item = {name: _SERIALIZER.serialize(value) for name, value in row.items() if value is not None}
    if len(json.dumps(item)) > MAX_ROW_BYTES:
        raise PayloadTooLarge("The record is too large to be stored.")
    return item


def _is_unknown(values: Iterable[Any]) -> bool:
    for value in values:
        if isinstance(value, Enum) and value.name == "UNKNOWN":
            return True
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
        if inner and _is_unknown(inner):
            return True
    return False


def from_item(item: "Item") -> Row:
    """Numbers come as Decimal."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


def assignments(row: Row) -> str:
    """The update expression that sets these attributes; those that are None stay as they are."""
    return "SET " + ", ".join(f"#{name} = :{name}" for name, value in row.items() if value is not None)


def expressions(values: Row, **texts: str) -> dict[str, Any]:
    """The parameters of a request with these expressions: the texts, the names in them and the values."""
    names = {name for text in texts.values() for name in re.findall(r"#(\w+)", text)}
    parameters: dict[str, Any] = {**texts, "ExpressionAttributeNames": {f"#{name}": name for name in names}}
    if values:
        parameters["ExpressionAttributeValues"] = to_item({f":{name}": v for name, v in values.items()})
    return parameters
