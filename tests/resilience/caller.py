"""A customer's script as the API's page asks it to behave: what promises nothing (503) or did not come through is sent
again with the same Idempotency-Key, and so is what was only promised (202), until there is an answer."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from api.http.idempotency import REPLAYED

MAX_PAUSE_SECONDS = 5.0
NO_ANSWER = 0
"""Stands for a status when the connection broke."""
UNSETTLED = frozenset({202, 503})


@dataclass(frozen=True)
class Answer:
    """The last answer, and how it was got."""

    status: int
    body: bytes
    replayed: bool
    """Whether it was kept from an earlier request."""
    before: tuple[int, ...]
    """What the requests before it were answered."""
    slowest: float
    """Seconds of the request that took longest."""

    def json(self) -> Any:
        return httpx.Response(self.status, content=self.body).json()


class Unanswered(Exception):
    """There was no answer within the caller's patience, or none that it can go on with."""

    def __init__(self, what: str, statuses: list[int]) -> None:
        super().__init__(f"{what} was not answered: {statuses[-5:]}")
        self.statuses = statuses


@dataclass(frozen=True)
class Caller:
    http: httpx.AsyncClient
    pause: float = MAX_PAUSE_SECONDS
    """The longest pause between two requests; a shorter Retry-After is kept to."""
    patience: float = 120.0

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        key: str,
        api_key: str | None = None,
        unsettled: frozenset[int] = UNSETTLED,
    ) -> Answer:
        """Repeats while the answer is one of `unsettled`. Raises Unanswered."""
        statuses: list[int] = []
        slowest, deadline = 0.0, time.monotonic() + self.patience
        while time.monotonic() < deadline:
            began = time.monotonic()
            answer = await self._send(path, body, key=key, api_key=api_key)
            slowest = max(slowest, time.monotonic() - began)
            if answer is not None and answer.status_code not in unsettled:
                replayed = REPLAYED in answer.headers
                return Answer(answer.status_code, answer.content, replayed, before=tuple(statuses), slowest=slowest)
            statuses.append(NO_ANSWER if answer is None else answer.status_code)
            await asyncio.sleep(self._pause(answer))
        raise Unanswered(f"POST {path}", statuses)

    async def _send(
        self, path: str, body: Mapping[str, Any], *, key: str, api_key: str | None
    ) -> httpx.Response | None:
        headers = {"Idempotency-Key": key} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
        try:
            return await self.http.post(path, json=body, headers=headers)
        except httpx.TransportError:
            return None

    def _pause(self, answer: httpx.Response | None) -> float:
        asked_for = 0.2 if answer is None else float(answer.headers.get("Retry-After", 0.2))
        return min(asked_for, self.pause)
