"""docker-compose.yml as Compose reads it: merged, interpolated, as plain values."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.pages import ROOT

Service = dict[str, Any]


def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def services() -> dict[str, Service]:
    found: dict[str, Service] = document()["services"]
    return found


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """`${NAME:-default}` and `${NAME:?why}` for the given variables, `$$` for a dollar. Raises KeyError for one that is
    required and missing."""
    if isinstance(value, dict):
        return {key: interpolated(part, variables) for key, part in value.items()}
    if isinstance(value, list):
        return [interpolated(part, variables) for part in value]
    if not isinstance(value, str):
        return value
    return re.sub(r"\$\$|\$\{(\w+)(:[-?])([^}]*)\}", lambda found: _replaced(found, variables), value)


def _replaced(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, text = found.groups()
    if name is None:
        return "$"
    if variables.get(name):
        return variables[name]
    if kind == ":?":
        raise KeyError(name)
    return str(text)


def example() -> dict[str, str]:
    """What deploy/compose.env.example sets."""
    lines = (ROOT / "deploy/compose.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
