"""What becomes of findings from scan to scan: first seen, seen again, closed.

What is known of an account's findings is kept beside them, for each engine, because a scan that looks at a part of an
account says nothing about the rest. A problem is closed when a scan looked where it was and did not find it, or found
that it passes; what no scan looked at stays as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domain.scans.ocsf import GONE, Life, compliance_finding, finding_uid
from domain.scans.scan import GLOBAL, PARTIAL, CheckStatus, Finding, ScanOrder, Severity

MAX_KNOWN = 200_000
"""Twice what a scan may find. Beyond that the problems that were not seen for the longest time are forgotten."""


@dataclass(frozen=True)
class Known:
    """What earlier scans say about one finding. `problem` is the finding while it is open; what passes has none."""

    first_seen: str
    last_seen: str
    problem: Finding | None = None


Knowledge = Mapping[str, Known]
"""By the id of the finding."""


def tell(
    findings: Sequence[Finding], order: ScanOrder, before: Knowledge, *, at: str
) -> tuple[list[dict[str, Any]], Knowledge]:
    """The events of a scan, in the order of its findings and then those of what is gone; and what is known after it.
    `at` is the stamp of the scan's end. An engine may say several things of one check and resource: what passes is told
    once, and not at all beside a problem, which it would close."""
    after: dict[str, Known] = {}
    events = []
    named = [(finding_uid(finding, order), finding) for finding in findings]
    problems = {uid for uid, finding in named if finding.status is not CheckStatus.PASS}
    for uid, finding in named:
        passes = finding.status is CheckStatus.PASS
        if passes and (uid in problems or uid in after):
            continue
        life = _life(finding, after.get(uid, before.get(uid)), at)
        events.append(compliance_finding(finding, order, at=at, life=life))
        after.setdefault(uid, Known(life.first_seen, at, None if passes else finding))
    covered = _coverage(findings, order)
    for uid, known in before.items():
        if known.problem is None or uid in after:
            continue
        if covered(known.problem):
            life = Life.closed(known.first_seen, known.last_seen)
            events.append(compliance_finding(known.problem, order, at=at, life=life, message=GONE))
        else:
            after[uid] = known
    newest = sorted(after.items(), key=lambda entry: entry[1].last_seen, reverse=True)
    return events, dict(newest[:MAX_KNOWN])


def dumps(knowledge: Knowledge) -> dict[str, Any]:
    return {uid: asdict(known) for uid, known in knowledge.items()}


def loads(given: Mapping[str, Any]) -> Knowledge:
    """Raises LookupError, TypeError or ValueError for what `dumps` did not write."""
    return {
        uid: Known(each["first_seen"], each["last_seen"], _finding(each["problem"]) if each["problem"] else None)
        for uid, each in given.items()
    }


def _life(finding: Finding, known: Known | None, at: str) -> Life:
    """A problem begins when it was not open before: a finding that passed and fails now is a new one."""
    is_open = known is not None and known.problem is not None
    if finding.status is not CheckStatus.PASS:
        return Life.seen_again(known.first_seen, at) if known and is_open else Life.opened(at)
    if known and is_open:
        return Life.closed(known.first_seen, known.last_seen)
    return Life.passing(known.first_seen if known else at, at)


def _coverage(findings: Sequence[Finding], order: ScanOrder) -> Callable[[Finding], bool]:
    """Tells whether the scan looked where an earlier problem was, without an error: only then its absence means
    something."""
    undecided = {(each.check_id, each.region) for each in findings if each.status is CheckStatus.ERROR}
    regions = {each.region for each in findings if each.status is not CheckStatus.ERROR}
    if any(check_id in PARTIAL and region == GLOBAL for check_id, region in undecided):
        regions.clear()
    scope = order.scope

    def covers(problem: Finding) -> bool:
        if problem.check_id in PARTIAL:
            return True
        place, service = problem.region, problem.service
        in_scope = (not scope.regions or place in (GLOBAL, *scope.regions)) and service not in scope.exclude_services
        wanted = in_scope and (not scope.services or service in scope.services)
        return wanted and place in regions and (problem.check_id, place) not in undecided

    return covers


def _finding(given: Mapping[str, Any]) -> Finding:
    told = {**given, "standards": tuple(given["standards"])}
    return Finding(**{**told, "status": CheckStatus(given["status"]), "severity": Severity(given["severity"])})
