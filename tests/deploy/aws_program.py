"""A stand-in for the `aws` program: the part of its language that the documentation uses, on top of boto3."""

import json
import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]  # comes with boto3, without types
from boto3.session import Session
from botocore.model import Shape
from botocore.validate import ParamValidator


@dataclass(frozen=True)
class Command:
    """A command that AWS's description of the service knows."""

    client: Any
    method: str
    parameters: dict[str, Any]
    query: str

    def run(self) -> str:
        found = jmespath.search(self.query, getattr(self.client, self.method)(**self.parameters))
        return found if isinstance(found, str) else json.dumps(found, default=str)


def understood(words: list[str], region: str) -> Command:
    """Raises LookupError for a name and ValueError for a parameter that AWS does not know, or misses."""
    service, name, *flags = words
    client = client_of({"s3api": "s3"}.get(service, service), region)
    method = name.replace("-", "_")
    operation = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    given = grouped(flags)
    query, _ = given.pop("query", ["@"]), given.pop("output", None)
    members = {dashed(member): (member, shape) for member, shape in operation.input_shape.members.items()}
    parameters = {members[flag][0]: value_of(members[flag][1], values) for flag, values in given.items()}
    report = ParamValidator().validate(parameters, operation.input_shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    return Command(client, method, parameters, query[0])


@cache
def client_of(service: str, region: str) -> Any:
    return Session(region_name=region).client(service)  # type: ignore[call-overload]


def grouped(flags: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in flags:
        if word.startswith("--"):
            found[word.removeprefix("--")] = []
        else:
            found[list(found)[-1]].append(word)
    return found


def dashed(member: str) -> str:
    """`PolicyDocument` is `policy-document`, `VPCId` is `vpc-id`."""
    letters = [
        f"-{letter}" if letter.isupper() and index and not member[index - 1].isupper() else letter
        for index, letter in enumerate(member)
    ]
    return "".join(letters).lower()


def value_of(shape: Shape, values: list[str]) -> Any:
    first = values[0] if values else ""
    if first.startswith("file://"):
        first = Path(first.removeprefix("file://")).read_text()
        return json.loads(first) if shape.type_name in ("list", "structure") else first
    match shape.type_name:
        case "list" if "=" in first:
            return [dict(pair.split("=", 1) for pair in value.split(",")) for value in values]
        case "list":
            return values
        case "integer":
            return int(first)
        case "boolean":
            return not values
        case "blob":
            return Path(first).read_bytes()
    return first


if __name__ == "__main__":
    sys.stdout.write(f"{understood(sys.argv[1:], os.environ['AWS_REGION']).run()}\n")
