"""The demo: a customer's AWS account goes from nothing to active, through the REST API and the customer's
own hands."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from emulators.failures import StackFailed
from emulators.ministack import REGION
from local.identities import AwsAccount
from local.portal import REQUEST_SECONDS, Portal, portal
from local.progress import Progress
from local.stack import Stack
from workflows.ids import onboarding_id

STACK_NAME = "ThreatEngine"
STACK_SECONDS = 180.0
IN_USE = ["cloudtrail", "config", "ec2", "iam"]
"""What the demo account has anything of. MiniStack has not every service, and takes 260 MB more for ever when it is
first asked for one that it lacks."""
NIGHTLY = {
    "schedule_type": "cron",
    "cron_expression": "0 2 * * *",
    "regions": [REGION],
    "services": IN_USE,
}


@dataclass(frozen=True)
class Demo:
    """What the demo made."""

    tenant_id: str
    account_id: str
    account_number: str
    status: str
    role_arn: str = ""
    """The role that the customer made."""


@dataclass(frozen=True)
class DemoScan:
    """What the demo account's first scan found."""

    status: str
    total_checks: int
    passed_checks: int
    failed_checks: int
    error_checks: int
    scan_id: str
    failures: tuple[str, ...]
    """What failed, the worst first."""


async def onboard(stack: Stack, progress: Progress) -> Demo:
    """Raises StackFailed when the account does not become active."""
    async with portal(stack.api_url, stack.api_key) as api:
        with progress.step("POST /tenants: a tenant is made"):
            tenant = await api.post("/tenants", {"tenant_name": "Demo Company"})
        with progress.step("POST /onboarding/aws/init: the workflow runs and waits for a credential"):
            wanted = {"tenant_id": tenant["tenant_id"], "account_name": "Demo production", "auth_method": "iam_role"}
            started = await api.post("/onboarding/aws/init", wanted)
        with progress.step("GET /onboarding/aws/cloudformation-template: the role for the customer to make"):
            path = "/onboarding/aws/cloudformation-template"
            offered = await api.get(path, external_id=started["external_id"])
        with progress.step("the customer deploys the template in its own AWS account"):
            outputs = await asyncio.to_thread(deploy, stack.customer, offered["template"])
        with progress.step("POST /onboarding/aws/validate-json: sealed, stored, proved, activated"):
            submitted = {"account_id": started["account_id"], "onboarding_json": outputs}
            await api.post("/onboarding/aws/validate-json", submitted)
            account = await activated(api, started["account_id"])
    if account["status"] != "active":
        raise StackFailed(f"The demo account did not become active; its status is {account['status']}.")
    whose = (tenant["tenant_id"], account["account_id"], account["account_number"])
    return Demo(*whose, account["status"], role_arn=outputs["RoleArn"])


async def activated(api: Portal, account_id: str) -> dict[str, Any]:
    """The account once its credential is decided. When a worker died meanwhile, that is after the answer."""
    return await api.until_settled(f"/onboarding/accounts/{account_id}", "status", "pending")


async def scan(stack: Stack, demo: Demo, progress: Progress) -> DemoScan:
    """Schedule the account, and scan it at once. Raises StackFailed when the scan does not complete."""
    async with portal(stack.api_url, stack.api_key) as api:
        with progress.step("POST /schedules: the account is scanned every night"):
            wanted = {"tenant_id": demo.tenant_id, "account_id": demo.account_id, "name": "Every night", **NIGHTLY}
            schedule = await api.post("/schedules", wanted)
        with progress.step("POST /schedules/{schedule_id}/trigger: and once now, with the built-in engine"):
            started = await api.post(f"/schedules/{schedule['schedule_id']}/trigger")
            execution = await api.until_settled(f"/executions/{started['scan_id']}", "status", "running")
        if execution["status"] != "completed":
            raise StackFailed(f"The demo scan did not complete; it {execution['status']}: {execution['error_code']}.")
        result = await api.get(f"/scan-results/{started['scan_id']}")
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False) as reader:
        findings = (await reader.get(result["findings_url"])).json()
    numbers = {name: result[name] for name in ("total_checks", "passed_checks", "failed_checks", "error_checks")}
    return DemoScan(execution["status"], **numbers, scan_id=started["scan_id"], failures=_failures(findings))


def _failures(findings: list[dict[str, Any]]) -> tuple[str, ...]:
    failed = [found for found in findings if found["compliance"]["status"] == "Fail"]
    failed.sort(key=lambda found: -found["severity_id"])
    return tuple(f"{found['severity']:8}  {found['finding_info']['title']}" for found in failed)


def deploy(customer: AwsAccount, template: str) -> dict[str, str]:
    """What the customer does in its console: make the stack, wait, read its outputs. The external id is the
    template's own default."""
    cloudformation = customer.session.client("cloudformation", endpoint_url=customer.endpoint)
    cloudformation.create_stack(StackName=STACK_NAME, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    deadline = time.monotonic() + STACK_SECONDS
    while time.monotonic() < deadline:
        found = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        if found["StackStatus"] == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
        if found["StackStatus"] != "CREATE_IN_PROGRESS":
            break
        time.sleep(0.05)
    raise StackFailed(f"The customer's stack did not come up; its state is {found['StackStatus']}.")


def workflow_page(stack: Stack, demo: Demo) -> str:
    """The Web UI's page of the onboarding."""
    workflow = quote(onboarding_id(demo.tenant_id, demo.account_id), safe="")
    return f"{stack.temporal.ui_url}/namespaces/{stack.temporal.namespace}/workflows/{workflow}"
