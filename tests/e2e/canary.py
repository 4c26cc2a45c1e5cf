"""The search for a secret in everything that the system leaves behind, in every spelling it could have there."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from temporalio.client import Client, WorkflowHistory

from local.stack import Stack

Evidence = Mapping[str, bytes]
"""What was found, by where it was found."""


def spellings(secret: str) -> dict[str, bytes]:
    """A secret as it is, and as the usual encodings write it, wherever in a longer text it stands."""
    raw = secret.encode()
    found = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "URL": quote(secret, safe="").encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "JSON in JSON": json.dumps(json.dumps(secret))[3:-3].encode(),
        "JSON with escaped slashes": json.dumps(secret)[1:-1].replace("/", r"\/").encode(),
    }
    for offset in range(3):
        found[f"base64 at {offset}"] = _base64_inside(raw, offset)
        found[f"base64url at {offset}"] = found[f"base64 at {offset}"].translate(bytes.maketrans(b"+/", b"-_"))
    return found


def hits(evidence: Evidence, secrets: Mapping[str, str]) -> list[str]:
    """Which secret was found where, and how it was spelt there; never the secret itself."""
    return [
        f"{name} as {spelling} in {place}"
        for name, secret in secrets.items()
        for spelling, needle in spellings(secret).items()
        for place, content in evidence.items()
        if needle in content
    ]


async def histories(client: Client) -> Evidence:
    """Every workflow's history: its raw bytes, and every payload in it decoded."""
    found = {}
    async for workflow in client.list_workflows():
        history = await client.get_workflow_handle(workflow.id, run_id=workflow.run_id).fetch_history()
        found[f"history {workflow.id}"] = b"".join(event.SerializeToString() for event in history.events)
        found[f"payloads of {workflow.id}"] = b"\n".join(_payloads(history))
    return found


def rows(stack: Stack) -> Evidence:
    """Every row of every table."""
    dynamodb = stack.platform.clients().dynamodb
    tables = dynamodb.list_tables()["TableNames"]
    return {f"table {name}": json.dumps(dynamodb.scan(TableName=name)["Items"]).encode() for name in tables}


def files(folder: Path) -> Evidence:
    """Every file: logs of all processes, the server's database, what was written by the way."""
    return {f"file {path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _payloads(history: WorkflowHistory) -> Iterator[bytes]:
    def walk(node: Any) -> Iterator[bytes]:
        if isinstance(node, dict):
            if "metadata" in node and isinstance(node.get("data"), str):
                yield b64decode(node["data"])
            for child in node.values():
                yield from walk(child)
        elif isinstance(node, list):
            for child in node:
                yield from walk(child)

    return walk(history.to_json_dict())


def _base64_inside(raw: bytes, offset: int) -> bytes:
    """The characters that depend on `raw` alone when `offset` other bytes come before it in its group of three."""
    encoded = b64encode(bytes(offset) + raw)
    first = {0: 0, 1: 2, 2: 3}[offset]
    last = {0: 0, 1: 3, 2: 2}[(offset + len(raw)) % 3]
    return encoded[first : len(encoded) - last]
