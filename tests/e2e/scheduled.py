"""Scheduled accounts in an embedded stack, as an operator finds them: idle, scanning, failing, out of step."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from providers.aws.permissions import PERMISSIONS
from tests.e2e.operated import Operated

NIGHTLY = {"schedule_type": "cron", "cron_expression": "0 2 * * *", "regions": ["ap-south-1"]}


@dataclass(frozen=True)
class Scheduled:
    tenant_id: str
    account_id: str
    schedule_id: str
    access_key_id: str
    execution_id: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """What an operator sets in the shell."""
        names = ("tenant_id", "account_id", "schedule_id", "execution_id")
        return {name.upper(): getattr(self, name) for name in names}

    @property
    def workflow_id(self) -> str:
        """Of the run that somebody triggered."""
        return f"scan:{self.tenant_id}:{self.execution_id}"


class ScheduledAccounts:
    """Makes them in a stack. The customer's account is the demo's, with a user of its own for each."""

    def __init__(self, operated: Operated) -> None:
        self._operated = operated
        self._iam: Any = operated.customer("iam")

    def new(self) -> Scheduled:
        """Active, and scanned every night."""
        onboarding = self._operated.new()
        key = self._key(onboarding.account_id)
        fields = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        submitted = {"account_id": onboarding.account_id, "auth_method": "access_key", "credentials": fields}
        self._operated.post("/onboarding/aws/validate", **submitted)
        wanted = {"tenant_id": onboarding.tenant_id, "account_id": onboarding.account_id, "name": "Every night"}
        schedule = self._operated.post("/schedules", **wanted, **NIGHTLY)
        query = f"ScheduleId = '{schedule['schedule_id']}'"
        self._operated.eventually(lambda: "RunScan" in self._operated.temporal("schedule", "list", "--query", query))
        return Scheduled(onboarding.tenant_id, onboarding.account_id, schedule["schedule_id"], fields["access_key_id"])

    def scanned(self) -> Scheduled:
        """One whose scan has completed."""
        scheduled = self._triggered(self.new())
        self._ended(scheduled)
        return scheduled

    @contextmanager
    def scanning(self) -> Iterator[Scheduled]:
        """One whose scan goes on for as long as it lasts, because what it found cannot be stored."""
        scheduled = self.new()
        with self._operated.denied("s3:PutObject"):
            scheduled = self._triggered(scheduled)
            self._listed(scheduled, "ScanState = 'scanning'")
            self._operated.eventually(lambda: "platform_config" in self._pending(scheduled))
            yield scheduled

    @contextmanager
    def terminated(self) -> Iterator[Scheduled]:
        """One whose run was ended without closing its row."""
        with self.scanning() as scheduled:
            words = ("--workflow-id", scheduled.workflow_id, "--reason", "by mistake")
            self._operated.temporal("workflow", "terminate", *words)
            yield scheduled

    def failing(self) -> Scheduled:
        """One that the platform paused: the customer took the key away."""
        scheduled = self.new()
        self._iam.delete_access_key(UserName=scheduled.account_id, AccessKeyId=scheduled.access_key_id)
        while self.schedule(scheduled)["status"] == "active":
            scheduled = self._triggered(scheduled)
            self._ended(scheduled)
        return scheduled

    def out_of_step(self) -> Scheduled:
        """One whose Temporal Schedule was deleted behind our back."""
        scheduled = self.new()
        self._operated.temporal("schedule", "delete", "--schedule-id", scheduled.schedule_id)
        return scheduled

    def schedule(self, scheduled: Scheduled) -> dict[str, Any]:
        return self._operated.get(f"/schedules/{scheduled.schedule_id}")

    def execution(self, scheduled: Scheduled) -> dict[str, Any]:
        return self._operated.get(f"/executions/{scheduled.execution_id}")

    def executions(self, scheduled: Scheduled) -> list[dict[str, Any]]:
        return list(self._operated.get(f"/schedules/{scheduled.schedule_id}/executions")["executions"])

    def _triggered(self, scheduled: Scheduled) -> Scheduled:
        started = self._operated.post(f"/schedules/{scheduled.schedule_id}/trigger")
        return replace(scheduled, execution_id=started["scan_id"])

    def _ended(self, scheduled: Scheduled) -> None:
        self._operated.eventually(lambda: self.schedule(scheduled)["running_execution_id"] is None)

    def _pending(self, scheduled: Scheduled) -> str:
        words = ("--workflow-id", scheduled.workflow_id, "--output", "json")
        found = json.loads(self._operated.temporal("workflow", "describe", *words))
        return json.dumps(found.get("pendingActivities", []))

    def _listed(self, scheduled: Scheduled, query: str) -> None:
        """Temporal's list follows the workflows with a delay."""
        words = ("--query", f"WorkflowId = '{scheduled.workflow_id}' AND {query}")
        self._operated.eventually(lambda: "Total: 1" in self._operated.temporal("workflow", "count", *words))

    def _key(self, user: str) -> dict[str, str]:
        allowed = {"Effect": "Allow", "Action": [permission.name for permission in PERMISSIONS], "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._iam.create_user(UserName=user)
        self._iam.put_user_policy(UserName=user, PolicyName="scan", PolicyDocument=document)
        return dict(self._iam.create_access_key(UserName=user)["AccessKey"])
