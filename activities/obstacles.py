"""What stands in the way of a schedule, asked of the stores and of the engines that this worker has."""

from collections.abc import Collection
from dataclasses import replace

from domain.accounts import AccountStatus
from domain.callers.tenants import TenantStatus
from domain.errors import NotFound, Problem, UnreadableRow
from domain.pages import MAX_PAGE
from domain.ports import AccountStore, TenantStore
from domain.scans.ports import Engines
from domain.schedules import obstacles
from domain.schedules.cadence import unusable
from domain.schedules.schedule import Schedule

SCANNABLE = frozenset({AccountStatus.ACTIVE, AccountStatus.ACTIVE_LIMITED, AccountStatus.DEGRADED})


class Obstacles:
    """A look at one schedule is `of`; `may_have` is a cheap one for a sweep over all of them."""

    def __init__(self, tenants: TenantStore, accounts: AccountStore, engines: Engines) -> None:
        self._tenants = tenants
        self._accounts = accounts
        self._engines = engines

    def of(self, schedule: Schedule) -> Problem | None:
        """None when a scan could begin. Raises Trouble."""
        try:
            return self._of_platform(schedule) or self._of_tenant(schedule) or self._of_account(schedule)
        except UnreadableRow:
            return obstacles.UNREADABLE

    def may_have(self, schedule: Schedule, disabled: Collection[str]) -> bool:
        """Whether it has to be looked at. That its account is not active is found when it is to run."""
        if obstacles.is_stopped(schedule):
            return True
        return schedule.fires and (schedule.tenant_id in disabled or self._of_platform(schedule) is not None)

    def disabled_tenants(self) -> Collection[str]:
        """Every tenant that is not active."""
        disabled, cursor = set[str](), None
        while True:
            page = self._tenants.page(limit=MAX_PAGE, cursor=cursor)
            disabled |= {tenant.tenant_id for tenant in page.items if tenant.status is not TenantStatus.ACTIVE}
            disabled |= set(page.unreadable)
            if (cursor := page.next_cursor) is None:
                return disabled

    def _of_platform(self, schedule: Schedule) -> Problem | None:
        if found := unusable(schedule.cadence):
            return replace(found, code=obstacles.UNUSABLE)
        kind = schedule.provider_type
        served = self._engines.outside(kind) is not None or self._engines.in_process(kind) is not None
        return None if served else obstacles.NO_ENGINE

    def _of_tenant(self, schedule: Schedule) -> Problem | None:
        try:
            active = self._tenants.get(schedule.tenant_id).status is TenantStatus.ACTIVE
        except NotFound:
            active = False
        return None if active else obstacles.TENANT

    def _of_account(self, schedule: Schedule) -> Problem | None:
        try:
            account = self._accounts.get(schedule.tenant_id, schedule.account_id)
        except NotFound:
            return obstacles.ACCOUNT
        scannable = account.status in SCANNABLE and account.credential is not None
        return None if scannable else obstacles.ACCOUNT
