"""The monthly bill of a deployment: what is kept and what is done, times what that takes, times its price."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from commands.cost import prices
from commands.cost.counts import (
    ANCHOR,
    ASSUMED,
    COUNTED,
    DIGEST,
    EVENTS_PER_DIGEST,
    HEAD,
    HEADS,
    HEALTH,
    LOOK,
    RECHECK,
    SCAN,
    SCHEDULE,
    SEALING,
    SECOND_TRY,
    TENANT,
    WAITING,
    Count,
)

KEYS = 5
"""KMS keys: credentials, scan results, digests of request bodies, commands, and digests of the audit trail."""
EVENTS_OF_AN_ONBOARDING = 6
"""Registered, submitted twice, refused, activated, scheduled."""
LOOKS_PER_ACCOUNT = 30
RESULT_BYTES = 100_000
"""Of the findings of a scan, in S3."""
MONTHS_KEPT = 12
"""The month that is billed comes after so many: rows and audit events of a year are there."""
TABLE_KEY_SECONDS = 300


class Basis(StrEnum):
    PRICE = "price"
    COUNTED = "counted"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Plan:
    """A deployment. `health_probes` is those in a minute, of all API processes together."""

    accounts: int
    tenants: int
    scans_per_day: float
    health_probes: float
    region: prices.Region

    @property
    def scans(self) -> float:
        """In a month."""
        return self.accounts * self.scans_per_day * prices.DAYS_PER_MONTH


@dataclass(frozen=True)
class Line:
    """`number` of the item in a month, and what they cost, by service."""

    item: str
    number: float
    basis: Basis
    data: float = 0
    """DynamoDB and S3."""
    secrets_manager: float = 0
    kms: float = 0
    actions: float = 0
    floor: bool = False
    """Whether no system that keeps a secret for each account could do without it."""

    @property
    def dollars(self) -> float:
        """Of AWS."""
        return self.data + self.secrets_manager + self.kms


@dataclass(frozen=True)
class Bill:
    lines: tuple[Line, ...]

    @property
    def aws(self) -> float:
        return sum(line.dollars for line in self.lines)

    @property
    def floor(self) -> float:
        return sum(line.dollars for line in self.lines if line.floor)

    @property
    def above_floor(self) -> float:
        """As a share of the floor."""
        return self.aws / self.floor - 1

    @property
    def actions(self) -> float:
        return sum(line.actions for line in self.lines)

    @property
    def temporal_cloud(self) -> float:
        """Actions with the surcharges for fairness and for the plan; histories of this size are cents."""
        used = self.actions * (1 + prices.TEMPORAL_FAIRNESS) * prices.TEMPORAL_ACTION
        return used * (1 + prices.TEMPORAL_PLAN)


def bill(plan: Plan) -> Bill:
    """Of a month in which every account is onboarded anew, with one refused credential, beside a year's data."""
    return Bill((*_kept(plan), *_done(plan), _health(plan), _stored(plan)))


def _kept(plan: Plan) -> Iterator[Line]:
    secrets, keys = plan.accounts * prices.SECRET_MONTH, KEYS * prices.KEY_MONTH
    yield Line("secret of an account", plan.accounts, Basis.PRICE, secrets_manager=secrets, floor=True)
    yield Line("KMS key", KEYS, Basis.PRICE, kms=keys, floor=True)


def _amounts(plan: Plan) -> dict[str, float]:
    """How often each operation happens in a month."""
    events = 2 * plan.scans + plan.accounts * (prices.DAYS_PER_MONTH + EVENTS_OF_AN_ONBOARDING)
    return {
        TENANT: plan.tenants,
        SECOND_TRY: plan.accounts,
        SCHEDULE: plan.accounts,
        LOOK: plan.accounts * LOOKS_PER_ACCOUNT,
        RECHECK: plan.accounts * prices.DAYS_PER_MONTH,
        SCAN: plan.scans,
        WAITING: plan.scans,
        SEALING: prices.HOURS_PER_MONTH * 60 / 5,
        ANCHOR: prices.HOURS_PER_MONTH * 60 / 10 / 4,
        HEADS: prices.HOURS_PER_MONTH * 60 / 10,
        HEAD: prices.HOURS_PER_MONTH * 60 / 10 * plan.tenants,
        DIGEST: events / EVENTS_PER_DIGEST,
    }


def _done(plan: Plan) -> Iterator[Line]:
    for operation, number in _amounts(plan).items():
        count, basis = _count_of(operation)
        yield _line(plan, operation, number, count, basis)


def _count_of(operation: str) -> tuple[Count, Basis]:
    if operation in COUNTED:
        return COUNTED[operation], Basis.COUNTED
    return ASSUMED[operation].count, Basis.ASSUMED


def _health(plan: Plan) -> Line:
    """Their one connection is never idle, so DynamoDB asks for the key of the table every five minutes only."""
    minutes = prices.HOURS_PER_MONTH * 60
    number = plan.health_probes * minutes
    spared = max(0.0, number - minutes * 60 / TABLE_KEY_SECONDS) * prices.KMS_REQUEST
    line = _line(plan, HEALTH, number, COUNTED[HEALTH], Basis.COUNTED)
    return Line(HEALTH, number, line.basis, line.data, line.secrets_manager, line.kms - spared)


def _stored(plan: Plan) -> Line:
    once = {TENANT, SECOND_TRY, SCHEDULE}
    rows = sum(
        _count_of(operation)[0].stored_bytes * number * (1 if operation in once else MONTHS_KEPT)
        for operation, number in _amounts(plan).items()
    )
    objects, price = RESULT_BYTES * plan.scans * MONTHS_KEPT, prices.DATA[plan.region]
    dollars = (rows * price.row_gb_month + objects * price.object_gb_month) / 2**30
    return Line("GB stored", (rows + objects) / 2**30, Basis.ASSUMED, data=dollars)


def _data(count: Count, price: prices.DataPrices) -> float:
    units = count.write_units * price.write_unit + count.read_units * price.read_unit
    return units + count.put_requests * price.put


def _line(plan: Plan, item: str, number: float, count: Count, basis: Basis) -> Line:
    price = prices.DATA[plan.region]
    return Line(
        item,
        number,
        basis,
        data=number * _data(count, price),
        secrets_manager=number * count.secrets_calls * prices.SECRETS_CALL,
        kms=number * count.kms_requests * prices.KMS_REQUEST,
        actions=number * count.actions,
    )
