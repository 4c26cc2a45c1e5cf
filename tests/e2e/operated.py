"""An embedded stack with onboardings in it, as an operator finds them: in every state that a runbook is for."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from boto3.session import Session
from botocore.exceptions import ClientError

from local.identities import WORKER_ROLE
from tests.e2e.conftest import Run
from tests.patience import PATIENCE_SECONDS
from workflows.ids import SEAL_AUDITS_ID, onboarding_id


@dataclass(frozen=True)
class Onboarding:
    tenant_id: str
    account_id: str

    @property
    def workflow_id(self) -> str:
        return onboarding_id(self.tenant_id, self.account_id)

    @property
    def variables(self) -> dict[str, str]:
        """What an operator sets in the shell."""
        return {"TENANT_ID": self.tenant_id, "ACCOUNT_ID": self.account_id, "WORKFLOW": self.workflow_id}


@contextmanager
def operating(served: Run) -> Iterator["Operated"]:
    environment = served.environment()
    key = {"Authorization": f"Bearer {environment['ONBOARDING_API_KEY']}"}
    url = f"{environment['ONBOARDING_API_URL']}/api/v1"
    with httpx.Client(base_url=url, headers=key, timeout=PATIENCE_SECONDS, trust_env=False) as api:
        yield Operated(served, api, environment)


class Operated:
    """The stack through its API, its AWS and the `temporal` program."""

    def __init__(self, served: Run, api: httpx.Client, environment: Mapping[str, str]) -> None:
        self.served = served
        self._api = api
        self._environment = environment

    def new(self) -> Onboarding:
        """One of its own tenant, that waits for its first credential."""
        tenant = self.post("/tenants", tenant_name=f"Operated {uuid4()}")["tenant_id"]
        started = self.post("/onboarding/aws/init", tenant_id=tenant, account_name="Production")
        return Onboarding(tenant, started["account_id"])

    def refused(self) -> Onboarding:
        """One that waits, with a stored credential that was refused: the demo's role wants another external id."""
        onboarding = self.new()
        self.submit(onboarding)
        self.listed(onboarding, "OnboardingState = 'waiting_for_credential'")
        return onboarding

    def hold_the_sweep(self) -> None:
        """It would close what a test wants to find open."""
        self.temporal("schedule", "toggle", "--schedule-id", "reconcile", "--pause", "--reason", "a test looks")

    @contextmanager
    def unsealed(self) -> Iterator[Onboarding]:
        """One whose audit events wait, because the sealer was paused."""
        words = "schedule", "toggle", "--schedule-id", SEAL_AUDITS_ID, "--reason", "a test looks"
        self.temporal(*words, "--pause")
        try:
            yield self.new()
        finally:
            self.temporal(*words, "--unpause")

    def is_sealing(self) -> bool:
        described = json.loads(
            self.temporal("schedule", "describe", "--schedule-id", SEAL_AUDITS_ID, "--output", "json")
        )
        return not described["schedule"]["state"].get("paused", False)

    def terminated(self) -> Onboarding:
        self.hold_the_sweep()
        onboarding = self.refused()
        self.temporal("workflow", "terminate", "--workflow-id", onboarding.workflow_id, "--reason", "by mistake")
        self.listed(onboarding, "ExecutionStatus = 'Terminated'")
        return onboarding

    @contextmanager
    def stuck(self) -> Iterator[Onboarding]:
        """One whose credential cannot be stored, because the worker's role was denied what that takes."""
        onboarding = self.new()
        with self.denied("secretsmanager:*"):
            with suppress(httpx.ReadTimeout):  # nobody waits for the verdict
                self.submit(onboarding, timeout=1)
            self.eventually(lambda: "attempt" in self.describe(onboarding))
            yield onboarding

    @contextmanager
    def denied(self, action: str) -> Iterator[None]:
        """While the worker's role may not do that."""
        iam = self._session.client("iam", endpoint_url=self._environment["AWS_ENDPOINT_URL"])
        named = {"RoleName": WORKER_ROLE, "PolicyName": "by-mistake"}
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        iam.put_role_policy(**named, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        try:
            yield
        finally:
            iam.delete_role_policy(**named)

    def submit(self, onboarding: Onboarding, timeout: float = 20) -> httpx.Response:
        role = self._environment["DEMO_ROLE_ARN"]
        body = {"account_id": onboarding.account_id, "auth_method": "iam_role", "credentials": {"role_arn": role}}
        return self._api.post("/onboarding/aws/validate", json=body, timeout=timeout)

    def cancel(self, onboarding: Onboarding) -> int:
        return self._api.post(f"/onboarding/{onboarding.account_id}/cancel").status_code

    def view(self, onboarding: Onboarding) -> dict[str, Any]:
        return dict(self._api.get(f"/onboarding/{onboarding.account_id}").json())

    def row(self, onboarding: Onboarding) -> tuple[str, str | None]:
        """How far it is, and why it ended."""
        account = self._api.get(f"/onboarding/accounts/{onboarding.account_id}").json()
        return account["onboarding_status"], account["reason"]

    def has_secret(self, onboarding: Onboarding) -> bool:
        vault = self._session.client("secretsmanager", endpoint_url=self._environment["AWS_ENDPOINT_URL"])
        try:
            vault.describe_secret(SecretId=f"threat-engine/account/{onboarding.account_id}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return True

    def describe(self, onboarding: Onboarding) -> str:
        """The pending steps, with what failed last."""
        found = self.temporal("workflow", "describe", "--workflow-id", onboarding.workflow_id, "--output", "json")
        return json.dumps([step for step in json.loads(found).get("pendingActivities", []) if "lastFailure" in step])

    def listed(self, onboarding: Onboarding, query: str) -> None:
        """Temporal's list follows the workflows with a delay that a person does not notice. The second look makes sure
        that the first did not see an earlier time when it was so."""
        words = "workflow", "count", "--query", f"AccountId = '{onboarding.account_id}' AND {query}"
        self.eventually(lambda: all("Total: 1" in self.temporal(*words) for _ in range(2)))

    def eventually(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, self.served.output
            time.sleep(0.1)

    def temporal(self, *words: str) -> str:
        program = Path(sys.executable).parent / "temporal"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.served.folder), **self._environment}
        return subprocess.check_output([program, *words], env=environment, text=True, timeout=PATIENCE_SECONDS)

    @property
    def _session(self) -> Session:
        key, secret = (self._environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        region = self._environment["AWS_REGION"]
        return Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name=region)

    def post(self, path: str, **body: object) -> dict[str, Any]:
        answer = self._api.post(path, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def get(self, path: str) -> dict[str, Any]:
        """Ask until there is an answer: a busy emulator keeps the API waiting for longer than it waits."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := self._api.get(path)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
            assert time.monotonic() < deadline, answer.text
            time.sleep(1)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def customer(self, service: str) -> Any:
        """A client of the demo customer, for what is done in its own account."""
        names = ("DEMO_AWS_ACCESS_KEY_ID", "DEMO_AWS_SECRET_ACCESS_KEY")
        key, secret = (self._environment[name] for name in names)
        session = Session(key, secret, region_name=self._environment["AWS_REGION"])
        return session.client(service, endpoint_url=self._environment["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]
