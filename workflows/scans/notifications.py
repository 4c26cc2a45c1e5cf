"""Whom a run tells, and what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

import workflows.metrics as meters
import workflows.scans.steps as steps
from activities.notifications import Deliver
from domain.scans.notifications import Channel, ChannelKind, Delivery, DeliveryState, Notification
from domain.scans.scan import Counts, ExecutionStatus, ScanEnd, ScanPlan
from workflows.errors import code_of


@dataclass(frozen=True)
class Telling:
    """The notifications of one end."""

    plan: ScanPlan
    schedule_id: str
    end: ScanEnd

    def announced(self) -> ScanEnd:
        """The end as it is written: each notification is shown as pending before the first attempt."""
        pending = tuple(self._delivery(channel, number, DeliveryState.PENDING) for number, channel in self._numbered())
        return replace(self.end, deliveries=pending)

    async def tell(self) -> None:
        """Every channel at once: one that does not answer keeps no other waiting."""
        await asyncio.gather(*(self._tell(channel, number) for number, channel in self._numbered()))

    async def _tell(self, channel: Channel, number: int) -> None:
        try:
            await steps.deliver(Deliver(channel, self._notification(), self.plan.notifications.signing))
        except ActivityError as error:
            delivery = self._delivery(channel, number, DeliveryState.FAILED, code_of(error))
        else:
            delivery = self._delivery(channel, number, DeliveryState.DELIVERED)
        meters.delivered(channel.kind, delivery.state)
        try:
            await steps.record(self.plan, delivery, number)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # What became of one delivery is no reason to lose the others.
            workflow.logger.warning("What became of a notification could not be shown.")

    def _numbered(self) -> Sequence[tuple[int, Channel]]:
        wishes = self.plan.notifications
        wanted = {ExecutionStatus.COMPLETED: wishes.on_success, ExecutionStatus.FAILED: wishes.on_failure}
        # Their numbers are those of the schedule's channels, those that are not known any more included.
        numbered = tuple(enumerate(wishes.channels, start=1)) if wanted.get(self.end.status) else ()
        return tuple((number, channel) for number, channel in numbered if channel.kind is not ChannelKind.UNKNOWN)

    def _delivery(self, channel: Channel, number: int, state: DeliveryState, code: str | None = None) -> Delivery:
        return Delivery(channel.kind, channel.shown, state, steps.now(), code, number)

    def _notification(self) -> Notification:
        order, counts = self.plan.order, self.end.result.counts if self.end.result else Counts()
        return Notification(
            notification_id=f"scan.ended:{order.execution_id}",
            tenant_id=order.tenant_id,
            account_id=order.account_id,
            schedule_id=self.schedule_id,
            execution_id=order.execution_id,
            status=self.end.status.value,
            at=self.end.completed_at,
            total_checks=counts.total,
            passed_checks=counts.passed,
            failed_checks=counts.failed,
            error_code=self.end.error_code,
        )
