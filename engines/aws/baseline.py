"""The built-in engine for AWS: reads settings, judges them by a benchmark, changes nothing.

One call at a time, region after region. What cannot be decided is reported as an error and never as a pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from domain.errors import InvalidInput
from domain.onboarding.credentials import Credential
from domain.scans.scan import Finding, ScanOrder
from engines.aws.calls import SESSION_POLICY
from engines.aws.checks import (
    administration,
    cloudtrail,
    detection,
    ec2,
    functions,
    iam,
    network_acls,
    s3,
    security_groups,
    storage,
)
from engines.aws.reader import AwsAccount, AwsReader, Limits
from engines.aws.scan import Scan
from engines.aws.session import ACCESS_KEY, ROLE, AwsClients, AwsSessions, refused
from engines.checks import Check
from providers.aws.arns import parse_arn

CHECKS: tuple[Check, ...] = (
    *iam.CHECKS,
    *administration.CHECKS,
    *s3.CHECKS,
    *cloudtrail.CHECKS,
    *detection.CHECKS,
    *ec2.CHECKS,
    *security_groups.CHECKS,
    *network_acls.CHECKS,
    *functions.CHECKS,
    *storage.CHECKS,
)


class AwsBaseline:
    """The `InProcessEngine` of AWS."""

    def __init__(self, sessions: AwsSessions, *, limits: Limits | None = None) -> None:
        self._sessions = sessions
        self._limits = limits or Limits()

    def scan(
        self,
        order: ScanOrder,
        credential: Credential,
        *,
        external_id: str,
        max_seconds: float,
        alive: Callable[[int], None],
    ) -> Sequence[Finding]:
        limits = replace(self._limits, max_seconds=min(self._limits.max_seconds, max_seconds))
        home = self._sessions.region
        key = self._key(order, credential, external_id)
        with self._sessions.open(key) as clients:
            scan = Scan(CHECKS, order.scope, home=home, known=self._sessions.regions, alive=alive)
            account = _account(order, clients, home)
            return scan.run(AwsReader(clients, account, alive=scan.beat, limits=limits))

    def _key(self, order: ScanOrder, credential: Credential, external_id: str) -> Credential:
        match credential.credential_type:
            case kind if kind == ROLE:
                name = f"te-scan-{order.execution_id}"
                policy = SESSION_POLICY
                return self._sessions.assume(credential, external_id=external_id, session_name=name, Policy=policy)
            case kind if kind == ACCESS_KEY:
                return credential
            case _:
                raise InvalidInput("This is not a credential for AWS.")


def _account(order: ScanOrder, clients: AwsClients, home: str) -> AwsAccount:
    """What is found in another account would be filed under this one."""
    caller = parse_arn(clients.caller(home))
    if caller.account_number != order.account_number:
        message = "The credential works, but belongs to another AWS account than the one onboarded here."
        raise refused("account_changed", message, "Submit a credential of the same AWS account.")
    return AwsAccount(caller.account_number, caller.partition)
