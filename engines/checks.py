"""Checks as data: how each is called, where it stands in a benchmark, and the function that judges resources by it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from domain.scans.scan import GLOBAL, NOT_SCANNED, CheckStatus, Finding, Severity
from engines.aws.reader import ODD, OTHER_FORM, AwsReader, Gone, Halted, Unreadable


@dataclass(frozen=True)
class Judgement:
    """What a check says of one resource."""

    resource: str
    status: CheckStatus
    message: str
    remedy: str = ""
    """Of an error; a failure has the check's own."""


Judge = Callable[[AwsReader, str], Iterator[Judgement]]
"""Judges the resources of one region. Raises Unreadable, at any point, when it cannot go on."""


@dataclass(frozen=True)
class Check:
    check_id: str
    title: str
    """The state that passes."""
    service: str
    """The name that a scope lists, as AWS prefixes the permissions of that service."""
    severity: Severity
    standards: tuple[str, ...]
    remedy: str
    judge: Judge
    regional: bool = True
    """Otherwise it is judged once an account, asked in the platform's own region."""

    def finding(self, judgement: Judgement, region: str) -> Finding:
        return Finding(
            check_id=self.check_id,
            title=self.title,
            status=judgement.status,
            severity=self.severity,
            resource=judgement.resource,
            region=region if self.regional else GLOBAL,
            service=self.service,
            message=judgement.message,
            remedy=self.remedy if judgement.status is CheckStatus.FAIL else judgement.remedy,
            standards=self.standards,
        )


def judgement(resource: str, passed: bool, *, good: str, bad: str) -> Judgement:
    return Judgement(resource, CheckStatus.PASS, good) if passed else Judgement(resource, CheckStatus.FAIL, bad)


def undecided(resource: str, failure: Unreadable) -> Judgement:
    return Judgement(resource, CheckStatus.ERROR, failure.message, failure.remedy)


Verdict = bool | str | None
"""What a check says of one resource: whether it passes, or the sentence that it fails with. None where the check does
not apply."""


def by_resource(
    aws: AwsReader,
    resources: Iterable[Any],
    name: Callable[[Any], str],
    verdict: Callable[[Any], Verdict],
    *,
    good: str,
    bad: str = "",
) -> Iterator[Judgement]:
    """Judge each resource on its own. One that denies us, that AWS answers oddly about or that is deleted meanwhile
    ends its own verdict and no other one. Raises Unreadable when the listing ends early, Halted."""
    for resource in resources:
        named = aws.account.root
        try:
            named = name(resource)
            found = verdict(resource)
        except Gone:
            continue
        except Halted:
            raise
        except Unreadable as failure:
            yield undecided(named, failure)
        except ODD:
            yield undecided(named, OTHER_FORM)
        else:
            if found is not None:
                yield judgement(named, found is True, good=good, bad=found if isinstance(found, str) else bad)


def holds_for_one(resources: Iterable[Any], holds: Callable[[Any], bool]) -> bool:
    """Whether it holds for one of the resources. What cannot be read of another one matters only when it does not:
    then it raises Unreadable."""
    failure: Unreadable | None = None
    try:
        for resource in resources:
            try:
                if holds(resource):
                    return True
            except Gone:
                continue
            except Halted:
                raise
            except Unreadable as unread:
                failure = failure or unread
            except ODD:
                failure = failure or OTHER_FORM
    except Unreadable as unread:
        failure = failure or unread
    if failure:
        raise failure
    return False


def cis(number: str) -> str:
    """A recommendation of the CIS Amazon Web Services Foundations Benchmark, version 3.0.0."""
    return f"CIS AWS Foundations 3.0.0 / {number}"


def fsbp(control: str) -> str:
    """A control of the AWS Foundational Security Best Practices standard of Security Hub."""
    return f"AWS FSBP 1.0.0 / {control}"


def nist(control: str) -> str:
    """A control of NIST Special Publication 800-53, revision 5."""
    return f"NIST SP 800-53 Rev. 5 / {control}"


def cis_check(
    number: str,
    title: str,
    *,
    service: str,
    severity: Severity,
    remedy: str,
    judge: Judge,
    regional: bool = True,
    also: tuple[str, ...] = (),
) -> Check:
    """A check that is named after its recommendation in CIS AWS Foundations 3.0.0."""
    standards = (cis(number), *also)
    return Check(f"cis-aws-3.0.0-{number}", title, service, severity, standards, remedy, judge, regional)


def not_scanned(resource: str, message: str, remedy: str, *, region: str = GLOBAL, service: str = "account") -> Finding:
    """Says that a part of what was asked for is missing from the findings, so that nobody takes it for a pass."""
    return Finding(
        check_id=NOT_SCANNED,
        title="What was asked for was scanned",
        status=CheckStatus.ERROR,
        severity=Severity.LOW,
        resource=resource,
        region=region,
        service=service,
        message=message,
        remedy=remedy,
    )
