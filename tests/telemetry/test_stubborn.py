"""What does not pass by itself: steps that fail again and again, rows that cannot be read."""

from contextlib import ExitStack

from composition.unreadable import telling_unreadable_rows
from domain.errors import NotYet, Unavailable
from domain.metrics import STEPS_RETRYING, UNREADABLE_ROWS
from stores.dynamodb.account_rows import READER
from stores.dynamodb.items import to_item
from telemetry.process import Telemetry
from telemetry.steps import MANY_ATTEMPTS, StepFailures
from tests.telemetry.conftest import Meters


def test_a_step_that_fails_after_many_attempts_is_counted_from_zero_on(meters: Meters):
    failures = StepFailures(meters.meter)
    failures.expect("close_account")
    failures.count("close_account", Unavailable.code, MANY_ATTEMPTS - 1)
    assert meters.read().value(STEPS_RETRYING.exposed, step="close_account") == 0
    failures.count("close_account", Unavailable.code, MANY_ATTEMPTS)
    # An engine that is at work for an hour is looked at many times.
    failures.count("close_account", NotYet.code, 100)
    assert meters.read().value(STEPS_RETRYING.exposed, step="close_account") == 1


def test_a_row_that_cannot_be_read_is_counted_by_table_from_zero_on(meters: Meters):
    with telling_unreadable_rows(Telemetry(meters.meter, None, ExitStack())):
        before = meters.read()
        assert before.value(UNREADABLE_ROWS.exposed, table="accounts") == 0
        assert before.value(UNREADABLE_ROWS.exposed, table="schedules") == 0
        READER.all([to_item({"account_id": "1"})])
        assert meters.read().value(UNREADABLE_ROWS.exposed, table="accounts") == 1
