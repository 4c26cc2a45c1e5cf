"""The demo's connection to the API, as patient as a good portal: what nobody took over is sent again under the same
Idempotency-Key, and so has one effect. An API or a worker that dies meanwhile costs time and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from emulators.failures import StackFailed

PATIENCE_SECONDS = 300.0
"""For the whole of a call, on a machine that has much else to do."""
REQUEST_SECONDS = 120.0
PAUSE_SECONDS = 0.5
AGAIN = {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS}


class Portal:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Raises StackFailed for a refusal, and when no answer comes."""
        return _body_of(await self._answered("GET", path, params=query))

    async def post(self, path: str, body: object = None) -> dict[str, Any]:
        """Raises StackFailed for a refusal, and when no answer comes. A promise (202) is an answer."""
        headers = {"Idempotency-Key": str(uuid4())}
        return _body_of(await self._answered("POST", path, json=body, headers=headers))

    async def until_settled(self, path: str, field: str, passing: str) -> dict[str, Any]:
        """What is at `path` once its field has another value than the passing one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = await self.get(path)
            if found[field] != passing:
                return found
            if time.monotonic() > deadline:
                raise StackFailed(f"The demo takes too long: {path} is still {passing}; its workflow says where it is.")
            await asyncio.sleep(0.1)

    async def _answered(self, method: str, path: str, **options: Any) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self._http.request(method, path, **options)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in AGAIN:
                return answer
            if time.monotonic() > deadline:
                said = "does not answer" if answer is None else f"answers {answer.status_code}"
                raise StackFailed(f"The demo failed: the API {said} to {method} {path}.")
            await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def portal(api_url: str, api_key: str) -> AsyncIterator[Portal]:
    headers = {"Authorization": f"Bearer {api_key}"}
    connected = httpx.AsyncClient(
        base_url=f"{api_url}/api/v1", headers=headers, timeout=REQUEST_SECONDS, trust_env=False
    )
    async with connected as http:
        yield Portal(http)


def _body_of(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    if answer.is_success:
        return body
    what = f"{answer.request.method} {answer.request.url.path}"
    raise StackFailed(f"The demo failed: {what} answered {answer.status_code}: {body}")
