"""`Once`: a POST that has the same effect and the same answer however often it is sent with one Idempotency-Key.

The record is written before any effect and holds every id that the effect uses, so that a repeat, even one at the same
moment or after a crash, does the same thing again and not another one. Without a key each request is its own operation.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Generic
from uuid import uuid4

import structlog
from fastapi import Header, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.auth.access import Access, AccessDep
from api.http.errors import Reply, reply_of
from api.http.json_body import Model, read_json, shaped
from domain.callers.tenants import PLATFORM
from domain.errors import Busy, Trouble, UserError
from domain.idempotency import LIFETIME_SECONDS, Answer, IdempotencyRecord, canonical
from domain.timestamps import stamp

REPLAYED = "Idempotency-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Makes a repeat of this request the same request for 24 hours. 1 to 255 visible ASCII characters.",
    ),
]

log = structlog.get_logger("api")


@dataclass(frozen=True)
class Operation:
    """One logical request."""

    id: str
    """Names updates, submissions and audit events, so that doing it again is recognised. Not a secret."""
    at: str
    """When it was first asked for."""
    ids: Mapping[str, str]
    """What was generated for it."""
    repeated: bool
    """Whether it may have been tried before."""


Effect = Callable[[Operation], Awaitable[Reply]]


def reply(
    status: int, content: BaseModel, headers: Mapping[str, str] | None = None, *, kept: BaseModel | None = None
) -> Reply:
    """An answer that may be kept for repeats; `kept` stands in for one that shows a value once."""
    return Reply(status, content.model_dump_json(), dict(headers or {}), kept.model_dump_json() if kept else None)


@dataclass(frozen=True)
class Once(Generic[Model]):
    """The request at hand."""

    access: Access
    route: str
    """Method, path and query."""
    key: str | None
    body_digest: str
    """What is compared with a repeat; empty without a key. The JSON itself, which may hold a secret, is not kept."""
    body: Model

    async def answer(self, effect: Effect, **ids: str) -> Response:
        """Run `effect` with these ids, or with those of the first request of this key. Raises IdempotencyMismatch."""
        if self.key is None:
            return (await effect(Operation(uuid4().hex, _now(), ids, repeated=False))).response()
        fresh = self._record(self.key, ids)
        record = await run_in_threadpool(self.access.services.idempotency.begin, fresh)
        if record.answer is not None:
            return Reply(record.answer.status, record.answer.body, {REPLAYED: "true"}).response()
        repeated = record != fresh
        given = await _settled(effect, Operation(record.record_id, record.created_at, record.ids, repeated=repeated))
        if _final(given):
            await self._keep(record, Answer(given.status, given.kept or given.body))
        return given.response()

    def _record(self, key: str, ids: Mapping[str, str]) -> IdempotencyRecord:
        now, caller = datetime.now(UTC), self.access.caller
        return IdempotencyRecord(
            tenant_id=caller.tenant_id or PLATFORM,
            record_id=hashlib.sha256(f"{caller.principal}\n{self.route}\n{key}".encode()).hexdigest(),
            body_digest=self.body_digest,
            ids=ids,
            created_at=stamp(now),
            expires_at=int(now.timestamp()) + LIFETIME_SECONDS,
        )

    async def _keep(self, record: IdempotencyRecord, answer: Answer) -> None:
        """What was done is done: when the answer cannot be kept, a repeat works it out again."""
        try:
            await run_in_threadpool(self.access.services.idempotency.finish, record, answer)
        except Trouble as trouble:
            log.warning("idempotency.answer_not_kept", code=trouble.code)


async def _settled(effect: Effect, operation: Operation) -> Reply:
    """A refusal is an answer too, and kept as one; what passes by itself is not."""
    try:
        return await effect(operation)
    except Busy:
        raise
    except UserError as error:
        return reply_of(error)


def _final(given: Reply) -> bool:
    return given.status < 500 and given.status not in (202, 429)


def _now() -> str:
    return stamp(datetime.now(UTC))


def once(model: type[Model], *, optional: bool = False) -> Callable[..., Awaitable[Once[Model]]]:
    """The dependency of a POST: its caller, then its body, then its key."""

    async def read(request: Request, access: AccessDep, idempotency_key: IdempotencyKey = None) -> Once[Model]:
        sent = await read_json(request, optional=optional)
        body = shaped(model, sent)
        digest = access.services.digest.digest
        compared = await run_in_threadpool(digest, canonical(sent)) if idempotency_key else ""
        query = request.url.query  # a dry run is not the same request
        route = f"{request.method} {request.scope['path']}" + (f"?{query}" if query else "")
        return Once(access, route, key=idempotency_key, body_digest=compared, body=body)

    return read
