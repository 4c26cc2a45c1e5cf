"""The contract of IdempotencyStore."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.errors import IdempotencyMismatch, PayloadTooLarge, Unavailable
from domain.idempotency import Answer, IdempotencyRecord
from tests.stores.conftest import Aws, Stores
from tests.stores.faults import reply_lost
from tests.stores.samples import AT, new_id, new_record

ANSWER = Answer(status=201, body='{"account_id":"1"}')


def repeated(record: IdempotencyRecord, created_at: str) -> IdempotencyRecord:
    """The same request later, with fresh ids."""
    return replace(new_record(created_at=created_at), record_id=record.record_id)


def test_a_new_record_is_the_callers_own(stores: Stores):
    record = new_record()
    assert stores.idempotency.begin(record) == record


def test_a_repetition_gets_the_ids_of_the_first_request(stores: Stores):
    record = new_record()
    stores.idempotency.begin(record)
    assert stores.idempotency.begin(repeated(record, "2026-11-25T09:59:59.999Z")) == record


def test_another_body_under_the_same_key_is_refused(stores: Stores):
    record = new_record()
    stores.idempotency.begin(record)
    with pytest.raises(IdempotencyMismatch):
        stores.idempotency.begin(replace(record, body_digest="digest-2"))


def test_the_key_of_another_tenant_is_another_key(stores: Stores):
    record = new_record()
    stores.idempotency.begin(record)
    foreign = replace(record, tenant_id=new_id(), body_digest="digest-2", ids={"account_id": "other"})
    assert stores.idempotency.begin(foreign) == foreign


def test_the_first_answer_stays(stores: Stores):
    record = stores.idempotency.begin(new_record())
    stores.idempotency.finish(record, ANSWER)
    stores.idempotency.finish(record, Answer(status=409, body="{}"))
    assert stores.idempotency.begin(record) == replace(record, answer=ANSWER)


def test_an_expired_record_counts_as_missing(stores: Stores):
    record = stores.idempotency.begin(new_record())
    stores.idempotency.finish(record, ANSWER)
    later = replace(repeated(record, "2026-11-25T10:00:00.000Z"), body_digest="digest-2")
    assert stores.idempotency.begin(later) == later


def test_an_answer_that_comes_after_expiry_is_not_given_to_the_next_request(stores: Stores):
    record = stores.idempotency.begin(new_record())
    later = stores.idempotency.begin(repeated(record, "2026-11-25T10:00:00.000Z"))
    stores.idempotency.finish(record, ANSWER)
    assert stores.idempotency.begin(later).answer is None


def test_eight_equal_requests_share_one_record(stores: Stores):
    record = new_record()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: stores.idempotency.begin(repeated(record, AT)), range(8)))
    assert len({each.ids["account_id"] for each in found}) == 1


def test_an_answer_to_an_unknown_record_is_not_kept(stores: Stores):
    record = new_record()
    stores.idempotency.finish(record, ANSWER)
    assert stores.idempotency.begin(record).answer is None


def test_an_answer_out_of_all_proportion_is_not_stored(aws: Aws):
    record = aws.stores.idempotency.begin(new_record())
    with pytest.raises(PayloadTooLarge):
        aws.stores.idempotency.finish(record, Answer(status=200, body="x" * 200_000))
    assert aws.stores.idempotency.begin(record).answer is None


def test_a_record_whose_reply_was_lost_is_the_callers_own(aws: Aws):
    record = new_record()
    with reply_lost(aws.clients.dynamodb, "PutItem"), pytest.raises(Unavailable):
        aws.stores.idempotency.begin(record)
    assert aws.stores.idempotency.begin(record) == record


def test_an_answer_whose_reply_was_lost_is_kept(aws: Aws):
    record = aws.stores.idempotency.begin(new_record())
    with reply_lost(aws.clients.dynamodb, "UpdateItem"), pytest.raises(Unavailable):
        aws.stores.idempotency.finish(record, ANSWER)
    aws.stores.idempotency.finish(record, ANSWER)
    assert aws.stores.idempotency.begin(record).answer == ANSWER
