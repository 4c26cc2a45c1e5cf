"""What one operation takes of AWS and of Temporal.

`COUNTED` is what the whole system was seen to do: `tests/commands/test_counts.py` does it again and compares. `ASSUMED`
is what is not counted yet; each says what it rests on. A figure moves from the one to the other with its test.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BEHIND_SECRETS = {
    "secretsmanager.CreateSecret": 2,
    "secretsmanager.PutSecretValue": 2,
    "secretsmanager.GetSecretValue": 1,
}
"""KMS requests that Secrets Manager makes for us with our key: a data key and a trial decryption, or a decryption.
docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"""


SIGNATURE = 5
"""Requests to KMS that cost as much as one signature with an elliptic curve: aws.amazon.com/kms/pricing"""


@dataclass(frozen=True)
class Count:
    """Of one operation, or of many. Calls are named `service.Operation`; those that cost nothing (STS, IAM) are left
    out."""

    calls: Mapping[str, int] = field(default_factory=dict)
    write_units: float = 0
    """DynamoDB's: the started kilobytes of an item and of its copies in indexes; in a transaction the item counts
    twice, its copies once."""
    read_units: float = 0
    """DynamoDB's: four started kilobytes each, half a unit when eventually consistent."""
    table_accesses: int = 0
    """Each can make DynamoDB ask KMS for the key of the table, which it keeps for five minutes per connection:
    docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html"""
    stored_bytes: int = 0
    """Left in tables and indexes, with DynamoDB's overhead and without what expires within a day."""
    actions: int = 0
    """Temporal's."""

    def __add__(self, other: "Count") -> "Count":
        return Count(
            dict(Counter(self.calls) + Counter(other.calls)),
            self.write_units + other.write_units,
            self.read_units + other.read_units,
            self.table_accesses + other.table_accesses,
            self.stored_bytes + other.stored_bytes,
            self.actions + other.actions,
        )

    def times(self, number: int) -> "Count":
        return Count(
            {name: calls * number for name, calls in self.calls.items()},
            self.write_units * number,
            self.read_units * number,
            self.table_accesses * number,
            self.stored_bytes * number,
            self.actions * number,
        )

    @property
    def secrets_calls(self) -> int:
        return self._of("secretsmanager.")

    @property
    def put_requests(self) -> int:
        """Of S3."""
        return self._of("s3.")

    @property
    def kms_requests(self) -> int:
        """Ours, those of Secrets Manager, and at most those of DynamoDB."""
        behind = sum(BEHIND_SECRETS.get(name, 0) * number for name, number in self.calls.items())
        signing = (SIGNATURE - 1) * self.calls.get("kms.Sign", 0)
        return self._of("kms.") + signing + behind + self.table_accesses

    def _of(self, service: str) -> int:
        return sum(number for name, number in self.calls.items() if name.startswith(service))


@dataclass(frozen=True)
class Assumed:
    count: Count
    rests_on: str


KEY_LOOKUP = Count({"dynamodb.Query": 1}, read_units=0.5, table_accesses=1)
"""The caller's key, at most once a request: it is kept for four seconds."""

TENANT = "tenant made"
ONBOARDING = "onboarding, first try"
SECOND_TRY = "onboarding, second try"
LOOK = "account looked at"
HEALTH = "health probe"
RECHECK = "re-check"
SCAN = "scan, built-in engine"
"""As its schedule starts it."""
WAITING = "scan awaited"
SCHEDULE = "schedule made"
SEALING = "sealing, for 5 minutes"
DIGEST = "digest of audit events"
ANCHOR = "audit anchor"
HEADS = "trails looked at"
HEAD = "tenant's trail looked at"
EVENTS_PER_DIGEST = 3

COUNTED: Mapping[str, Count] = {
    TENANT: Count(
        {
            "dynamodb.GetItem": 1,
            "dynamodb.PutItem": 1,
            "dynamodb.Query": 1,
            "dynamodb.TransactWriteItems": 1,
            "dynamodb.UpdateItem": 1,
            "kms.GenerateMac": 1,
        },
        write_units=15,
        read_units=1.5,
        table_accesses=7,
        stored_bytes=1_550,
    ),
    ONBOARDING: Count(
        {
            "dynamodb.GetItem": 4,
            "dynamodb.PutItem": 2,
            "dynamodb.Query": 2,
            "dynamodb.TransactWriteItems": 3,
            "dynamodb.UpdateItem": 2,
            "kms.Decrypt": 1,
            "kms.GenerateDataKey": 1,
            "kms.GenerateMac": 2,
            "secretsmanager.CreateSecret": 1,
            "secretsmanager.DescribeSecret": 1,
            "secretsmanager.GetSecretValue": 1,
        },
        write_units=41,
        read_units=5,
        table_accesses=20,
        stored_bytes=8_150,
        actions=11,
    ),
    SECOND_TRY: Count(
        {
            "dynamodb.GetItem": 8,
            "dynamodb.PutItem": 3,
            "dynamodb.Query": 3,
            "dynamodb.TransactWriteItems": 5,
            "dynamodb.UpdateItem": 3,
            "kms.Decrypt": 2,
            "kms.GenerateDataKey": 2,
            "kms.GenerateMac": 3,
            "secretsmanager.CreateSecret": 1,
            "secretsmanager.DescribeSecret": 3,
            "secretsmanager.GetSecretValue": 3,
            "secretsmanager.PutSecretValue": 1,
            "secretsmanager.UpdateSecretVersionStage": 1,
        },
        write_units=63,
        read_units=9.5,
        table_accesses=32,
        stored_bytes=9_000,
        actions=17,
    ),
    SCHEDULE: Count(
        {
            "dynamodb.GetItem": 5,
            "dynamodb.PutItem": 1,
            "dynamodb.Query": 1,
            "dynamodb.TransactWriteItems": 1,
            "dynamodb.UpdateItem": 1,
            "kms.GenerateMac": 1,
        },
        write_units=14,
        read_units=5.5,
        table_accesses=12,
        stored_bytes=2_500,
        actions=4,
    ),
    SCAN: Count(
        {
            "dynamodb.GetItem": 7,
            "dynamodb.PutItem": 1,
            "dynamodb.TransactWriteItems": 2,
            "s3.PutObject": 2,
            "secretsmanager.GetSecretValue": 1,
        },
        write_units=26,
        read_units=7,
        table_accesses=16,
        stored_bytes=4_300,
        actions=6,
    ),
    LOOK: Count({"dynamodb.GetItem": 2, "dynamodb.Query": 1}, read_units=2.5, table_accesses=3),
    HEALTH: Count(
        {"dynamodb.GetItem": 1, "kms.DescribeKey": 1, "secretsmanager.GetRandomPassword": 1},
        read_units=0.5,
        table_accesses=1,
    ),
}

ASSUMED: Mapping[str, Assumed] = {
    RECHECK: Assumed(
        Count(
            {"dynamodb.GetItem": 2, "dynamodb.TransactWriteItems": 1, "secretsmanager.GetSecretValue": 1},
            write_units=18,
            read_units=2,
            table_accesses=5,
            stored_bytes=800,
            actions=4,
        ),
        "the validation and the record of a verdict of an onboarding: one workflow, two steps, one search attribute",
    ),
    SEALING: Assumed(
        Count({"dynamodb.Scan": 5}, read_units=5, table_accesses=1, actions=15),
        "five runs of a minute that find nothing: each a start by its schedule, two actions, and one step",
    ),
    DIGEST: Assumed(
        Count(
            {"dynamodb.Query": 2, "dynamodb.TransactWriteItems": 1, "kms.Sign": 1},
            write_units=2 + 2 * EVENTS_PER_DIGEST,
            read_units=2,
            table_accesses=2,
            stored_bytes=900,
            actions=1,
        ),
        "three events of a tenant within a minute: accounts are scanned at the same hours",
    ),
    ANCHOR: Assumed(
        Count({"s3.PutObject": 2}),
        "one each 10 minutes while events are sealed, a quarter of the day: the last anchor is looked for, which S3 "
        "prices like a write, and the new one is written",
    ),
    HEADS: Assumed(
        Count({"dynamodb.Scan": 1, "dynamodb.Query": 1}, read_units=2, table_accesses=2, actions=1),
        "each 10 minutes the tenants are listed, and the last digest of the platform is read",
    ),
    HEAD: Assumed(
        Count({"dynamodb.Query": 1}, read_units=1, table_accesses=1),
        "the last digest of a tenant, each 10 minutes",
    ),
    WAITING: Assumed(
        Count(actions=32),
        "a scan of 5 minutes: heartbeats of the built-in engine, or polls of another one, each an action every 10 s, "
        "and the two actions of a start by the schedule",
    ),
}
