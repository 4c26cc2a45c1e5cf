"""One run of checks over one account: which of them, where, in which order, and what becomes of a failure."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress

from domain.scans.scan import Finding
from domain.schedules.schedule import ScanScope
from engines.aws.reader import ODD, OTHER_FORM, AwsReader, Halted, Unreadable
from engines.checks import Check, not_scanned, undecided
from providers.aws.partitions import in_order


class Scan:
    """`home` is the region that is asked about what is not regional; `known` are the regions that AWS has."""

    def __init__(
        self,
        checks: Sequence[Check],
        scope: ScanScope,
        *,
        home: str,
        known: Collection[str],
        alive: Callable[[int], None],
    ) -> None:
        self._services = {check.service for check in checks}
        self._checks = [check for check in checks if _wanted(check.service, scope)]
        self._scope = scope
        self._home = home
        self._known = known
        self._alive = alive
        self._percent = 0
        self._found: list[Finding] = []

    def beat(self) -> None:
        """Tell how far it is; raises when it is to stop."""
        self._alive(self._percent)

    def run(self, aws: AwsReader) -> list[Finding]:
        """Every finding. Raises Trouble when AWS answered nothing at all."""
        regions = self._regions(aws)
        self._found += self._unknown_services(aws)
        rounds = [(self._home, self._of(regional=False)), *((region, self._of(regional=True)) for region in regions)]
        for number, (region, checks) in enumerate(rounds):
            for position, check in enumerate(checks):
                self._percent = int(100 * (number + position / len(checks)) / len(rounds))
                self._judge(check, aws, region)
            aws.forget(region)
        if trouble := aws.in_vain:
            raise trouble
        return self._found

    def _of(self, *, regional: bool) -> list[Check]:
        return [check for check in self._checks if check.regional is regional]

    def _judge(self, check: Check, aws: AwsReader, region: str) -> None:
        try:
            for judgement in check.judge(aws, region):
                self._keep_within(aws.limits.max_findings)
                self._found.append(check.finding(judgement, region))
        except Unreadable as failure:
            self._found.append(check.finding(undecided(aws.account.root, failure), region))
        except ODD:
            self._found.append(check.finding(undecided(aws.account.root, OTHER_FORM), region))

    def _keep_within(self, limit: int) -> None:
        if len(self._found) >= limit:
            raise Unreadable(f"There are more than {limit} findings; the rest was left out.")

    def _regions(self, aws: AwsReader) -> list[str]:
        """Those of the scope that are switched on; all that are for an empty one."""
        try:
            enabled = self._enabled(aws)
        except Unreadable as failure:
            message = f"The regions are not known, so only those named were scanned: {failure.message}"
            self._found.append(not_scanned(aws.account.root, message, failure.remedy))
            # What a customer wrote becomes a part of a host's name, so it has to be a region at least.
            return [region for region in self._scope.regions if region in self._known] or [self._home]
        asked = set(self._scope.regions) or enabled
        for region in sorted(asked - enabled):
            message, remedy = "The region is not switched on in this account.", "Switch it on, or leave it out."
            self._found.append(not_scanned(aws.account.root, message, remedy, region=region))
        return sorted(asked & enabled)

    def _enabled(self, aws: AwsReader) -> set[str]:
        """As the home region says, or another one where that is closed to the account. Raises Unreadable."""

        def said_in(region: str) -> set[str]:
            return {found["RegionName"] for found in aws.items("ec2:DescribeRegions", region)}

        try:
            return said_in(self._home)
        except Halted:
            raise
        except Unreadable:
            for region in in_order(set(self._known) - {self._home}, partition=aws.account.partition):
                with suppress(Unreadable):
                    return said_in(region)
            raise

    def _unknown_services(self, aws: AwsReader) -> Iterator[Finding]:
        for service in sorted(set(self._scope.services) - self._services):
            message = f"No check is for this service; there are checks for: {', '.join(sorted(self._services))}."
            yield not_scanned(aws.account.root, message, "Leave it out.", service=service)


def _wanted(service: str, scope: ScanScope) -> bool:
    return (not scope.services or service in scope.services) and service not in scope.exclude_services
