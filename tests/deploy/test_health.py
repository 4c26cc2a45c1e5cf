"""When a worker counts as being at work; the commands themselves are run with the stack."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.taskqueue.v1 import PollerInfo

from deploy.health.worker import SILENCE_SECONDS, at_work, silent_queues

NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("identity", "silent_for", "expected"),
    [
        ("1@worker-a", 0, True),
        ("1@worker-a", SILENCE_SECONDS - 1, True),
        ("1@worker-a", SILENCE_SECONDS, False),
        ("1@worker-b", 0, False),
        ("1@another-worker-a", 0, False),
    ],
)
def test_a_worker_is_at_work_when_its_host_was_heard_lately(identity: str, silent_for: int, expected: bool):
    poller = PollerInfo(identity=identity, last_access_time=Timestamp(seconds=NOW - silent_for))
    assert at_work(poller, "worker-a", NOW) is expected


def test_a_worker_is_at_work_when_it_serves_each_of_its_queues():
    ours, other = (PollerInfo(identity=name, last_access_time=Timestamp(seconds=NOW)) for name in ("1@a", "1@b"))
    assert silent_queues({"onboarding": [ours, other], "scans": [other, ours]}, "a", NOW) == []
    assert silent_queues({"onboarding": [ours], "scans": [other]}, "a", NOW) == ["scans"]
    assert silent_queues({"onboarding": [], "scans": [ours]}, "a", NOW) == ["onboarding"]
