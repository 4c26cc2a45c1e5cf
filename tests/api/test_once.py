"""A POST with an Idempotency-Key is done once: by `Once` itself, on a store in memory."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Response
from pydantic import BaseModel
from structlog.testing import capture_logs

from api.auth.access import Access
from api.auth.authenticator import Caller
from api.http.errors import Reply
from api.http.idempotency import Once, Operation, reply
from domain.callers.tenants import PLATFORM
from domain.errors import Busy, IdempotencyMismatch, NotFound, Unavailable
from domain.idempotency import LIFETIME_SECONDS, Answer, IdempotencyRecord
from tests.fakes import FakeIdempotencyStore


class Body(BaseModel):
    name: str = "n"


class Noting(FakeIdempotencyStore):
    """Notes what was begun, and can be unable to keep an answer."""

    def __init__(self, *, full: bool = False) -> None:
        super().__init__()
        self.begun: list[IdempotencyRecord] = []
        self.full = full

    def begin(self, record: IdempotencyRecord) -> IdempotencyRecord:
        self.begun.append(record)
        return super().begin(record)

    def finish(self, record: IdempotencyRecord, answer: Answer) -> None:
        if self.full:
            raise Unavailable
        super().finish(record, answer)


class Effect:
    """Notes each operation, and answers or fails as it was told."""

    def __init__(self, *outcomes: Reply | Exception) -> None:
        self.outcomes = list(outcomes) or [reply(201, Body())]
        self.done: list[Operation] = []

    async def __call__(self, operation: Operation) -> Reply:
        self.done.append(operation)
        outcome = self.outcomes[min(len(self.done), len(self.outcomes)) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def once(
    store: Noting,
    key: str | None = "k-1",
    *,
    tenant_id: str | None = "tenant-1",
    principal: str = "key:1",
    route: str = "POST /things",
    digest: str = "d",
) -> Once[Body]:
    caller = Caller(principal, tenant_id, tenant_id is None, scopes=frozenset(), request_id="r")
    services: Any = SimpleNamespace(idempotency=store)
    return Once(Access(caller, services), route, key=key, body_digest=digest, body=Body())


def is_repeat(answer: Response) -> bool:
    return answer.headers.get("Idempotency-Replayed") == "true"


async def test_a_repeat_gets_the_same_answer_and_nothing_is_done_again():
    store, effect = Noting(), Effect()
    first = await once(store).answer(effect, thing_id="t-1")
    again = await once(store).answer(effect, thing_id="t-2")
    assert (first.status_code, first.body, is_repeat(first)) == (201, b'{"name":"n"}', False)
    assert (again.status_code, again.body, is_repeat(again)) == (201, b'{"name":"n"}', True)
    [operation] = effect.done
    assert (dict(operation.ids), operation.repeated) == ({"thing_id": "t-1"}, False)
    assert (operation.id, operation.at) == (store.begun[0].record_id, store.begun[0].created_at)


async def test_a_record_is_of_a_tenant_and_lives_for_a_day():
    store = Noting()
    await once(store).answer(Effect(), thing_id="t-1")
    await once(store, tenant_id=None).answer(Effect())
    first, platforms = store.begun
    made = datetime.fromisoformat(first.created_at)
    assert abs((datetime.now(UTC) - made).total_seconds()) < 60
    assert first.expires_at == int(made.timestamp()) + 24 * 3600 == int(made.timestamp()) + LIFETIME_SECONDS
    assert (first.tenant_id, first.body_digest, first.answer) == ("tenant-1", "d", None)
    assert (platforms.tenant_id, len(platforms.record_id)) == (PLATFORM, 64)


@pytest.mark.parametrize(
    "other", [{"key": "k-2"}, {"principal": "key:2"}, {"route": "POST /others"}, {"tenant_id": "tenant-2"}]
)
async def test_another_key_caller_route_or_tenant_is_another_request(other: dict[str, Any]):
    store, effect = Noting(), Effect()
    await once(store).answer(effect)
    again = await once(store, **other).answer(effect)
    assert (len(effect.done), is_repeat(again)) == (2, False)


async def test_another_body_under_the_same_key_is_refused():
    store, effect = Noting(), Effect()
    await once(store).answer(effect)
    with pytest.raises(IdempotencyMismatch):
        await once(store, digest="other").answer(effect)
    assert len(effect.done) == 1


async def test_without_a_key_each_request_is_its_own():
    store, effect = Noting(), Effect()
    for _ in range(2):
        assert not is_repeat(await once(store, None).answer(effect, thing_id="t-1"))
    first, second = effect.done
    assert first.id != second.id
    assert (len(first.id), dict(first.ids), first.repeated) == (32, {"thing_id": "t-1"}, False)
    assert datetime.fromisoformat(first.at).tzinfo is not None
    assert store.begun == []


@pytest.mark.parametrize("status", [202, 429, 500, 503])
async def test_what_passes_by_itself_is_not_kept_and_a_repeat_does_the_same_thing(status: int):
    store, effect = Noting(), Effect(Reply(status, "{}", {}), reply(201, Body()))
    assert (await once(store).answer(effect, thing_id="t-1")).status_code == status
    again = await once(store).answer(effect, thing_id="t-2")
    assert (again.status_code, is_repeat(again)) == (201, False)
    first, second = effect.done
    assert (second.id, second.at, second.ids, second.repeated) == (first.id, first.at, first.ids, True)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 404, 409, 422, 499])
async def test_every_other_answer_is_kept(status: int):
    store, effect = Noting(), Effect(Reply(status, "{}", {}))
    for repeated in (False, True):
        answer = await once(store).answer(effect)
        assert (answer.status_code, is_repeat(answer)) == (status, repeated)
    assert len(effect.done) == 1


async def test_a_refusal_is_kept_and_a_want_of_time_is_not():
    store, effect = Noting(), Effect(Busy(), NotFound())
    with pytest.raises(Busy):
        await once(store).answer(effect)
    for repeated in (False, True):
        answer = await once(store).answer(effect)
        assert (answer.status_code, is_repeat(answer)) == (404, repeated)
    assert len(effect.done) == 2


async def test_trouble_passes_and_is_not_kept():
    store, effect = Noting(), Effect(Unavailable(), reply(201, Body()))
    with pytest.raises(Unavailable):
        await once(store).answer(effect)
    assert (await once(store).answer(effect)).status_code == 201


async def test_a_value_that_is_shown_once_is_not_kept():
    store = Noting()
    shown = reply(201, Body(name="canary"), {"Location": "/things/1"}, kept=Body(name="***"))
    first = await once(store).answer(Effect(shown))
    again = await once(store).answer(Effect(shown))
    assert (first.body, first.headers["Location"]) == (b'{"name":"canary"}', "/things/1")
    assert again.body == b'{"name":"***"}'


async def test_what_was_done_is_answered_also_when_the_answer_cannot_be_kept():
    store, effect = Noting(full=True), Effect()
    with capture_logs() as logged:
        assert (await once(store).answer(effect)).status_code == 201
    assert [(entry["event"], entry["code"]) for entry in logged] == [("idempotency.answer_not_kept", "unavailable")]
    assert not is_repeat(await once(store).answer(effect))
    assert [operation.repeated for operation in effect.done] == [False, True]
