"""Each link of the OpenAPI document, followed once: its source is asked with the document's own example, the id is
taken out of the answer by the link's expression, and the operation that it leads to must know the thing of that id.

Schemathesis follows links too, but by chance, and most sources need a body that chance does not write.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import httpx

from tests.api.whole_portal import WholePortal

IN_BODY = "$response.body#/"
BUSY_SECONDS, TRIES = 0.1, 100
"""A schedule that is scanned now is not triggered again: its run, on fakes, ends in a moment."""


class Operation(NamedTuple):
    method: str
    path: str
    said: Mapping[str, Any]

    def body(self, whole: WholePortal, number: int) -> Any:
        """The example, with the ids of what is there; no two names are the same, and no tenant gets disabled."""
        if "requestBody" not in self.said:
            return None
        example = whole.fill(self.said["requestBody"]["content"]["application/json"]["example"])
        changed = {"tenant_name": f"Linked {number}", "status": "active"}
        return {name: changed.get(name, value) for name, value in example.items()}


class Link(NamedTuple):
    source: str
    status: int
    follower: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.source} -> {self.follower}"


@dataclass
class Walk:
    """Which links led where they should, and what was wrong with the others."""

    followed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def operations(document: Mapping[str, Any]) -> dict[str, Operation]:
    return {
        said["operationId"]: Operation(method.upper(), path, said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }


def links(document: Mapping[str, Any]) -> Iterator[Link]:
    for source, operation in operations(document).items():
        for status, answer in operation.said["responses"].items():
            for link in answer.get("links", {}).values():
                yield Link(source, int(status), link["operationId"], link["parameters"])


async def walk(whole: WholePortal, chosen: Iterable[Link]) -> Walk:
    known, found, numbers = operations(whole.portal.app.openapi()), Walk(), count()
    for link in chosen:
        answer = await _asked(whole, known[link.source], whole.ids, next(numbers))
        if answer.status_code != link.status:
            found.lost.append(f"{link}: its source answered {answer.status_code}")
            continue
        ids = {name: _value(answer.json(), expression) for name, expression in link.parameters.items()}
        led = await _asked(whole, known[link.follower], {**whole.ids, **ids}, next(numbers))
        documented = str(led.status_code) in known[link.follower].said["responses"]
        if documented and led.status_code not in (404, 422) and led.status_code < 500:
            found.followed.append(str(link))
        else:
            found.lost.append(f"{link}: {led.status_code}")
    return found


async def _asked(whole: WholePortal, operation: Operation, ids: Mapping[str, str], number: int) -> httpx.Response:
    path = operation.path.format_map(ids)
    wanted = [each["name"] for each in operation.said.get("parameters", []) if each["in"] == "query"]
    query = {name: ids[name] for name in wanted if name in ids}
    body = operation.body(whole, number)
    for _ in range(TRIES):
        url = f"http://api.test{path}"
        answer = await whole.portal.http.request(operation.method, url, params=query, json=body)
        if answer.status_code != 409 or answer.json()["detail"]["code"] not in ("scan_running", "busy"):
            break
        await asyncio.sleep(BUSY_SECONDS)
    return answer


def _value(body: Any, expression: str) -> str:
    """What a runtime expression of OpenAPI 3.1 names in an answer; ours name a place in its body."""
    found = body
    for token in expression.removeprefix(IN_BODY).split("/"):
        found = found[int(token)] if isinstance(found, list) else found[token]
    return str(found)
