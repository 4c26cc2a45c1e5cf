"""The demo: a customer's AWS account goes from nothing to active, through the REST API and the customer's
own hands."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from local.failures import StackFailed
from local.identities import AwsAccount
from local.progress import Progress
from local.stack import NAMESPACE, Stack
from workflows.ids import onboarding_id

STACK_NAME = "ThreatEngine"
STACK_SECONDS = 30.0
REQUEST_SECONDS = 40.0


@dataclass(frozen=True)
class Demo:
    """What the demo made."""

    tenant_id: str
    account_id: str
    account_number: str
    status: str


async def onboard(stack: Stack, progress: Progress) -> Demo:
    """Raises StackFailed when the account does not become active."""
    async with httpx.AsyncClient(
        base_url=f"{stack.api_url}/api/v1",
        headers={"Authorization": f"Bearer {stack.api_key}"},
        timeout=REQUEST_SECONDS,
        trust_env=False,
    ) as api:
        with progress.step("POST /tenants: a tenant is made"):
            tenant = _body(await api.post("/tenants", json={"tenant_name": "Demo Company"}))
        with progress.step("POST /onboarding/aws/init: the workflow runs and waits for a credential"):
            wanted = {"tenant_id": tenant["tenant_id"], "account_name": "Demo production", "auth_method": "iam_role"}
            started = _body(await api.post("/onboarding/aws/init", json=wanted))
        with progress.step("GET /onboarding/aws/cloudformation-template: the role for the customer to make"):
            query = {"external_id": started["external_id"]}
            offered = _body(await api.get("/onboarding/aws/cloudformation-template", params=query))
        with progress.step("the customer deploys the template in its own AWS account"):
            outputs = await asyncio.to_thread(deploy, stack.customer, offered["template"])
        with progress.step("POST /onboarding/aws/validate-json: sealed, stored, proved, activated"):
            submitted = {"account_id": started["account_id"], "onboarding_json": outputs}
            _body(await api.post("/onboarding/aws/validate-json", json=submitted))
        account = _body(await api.get(f"/onboarding/accounts/{started['account_id']}"))
    if account["status"] != "active":
        raise StackFailed(f"The demo account did not become active; its status is {account['status']}.")
    return Demo(tenant["tenant_id"], account["account_id"], account["account_number"], account["status"])


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
    return f"{stack.temporal.ui_url}/namespaces/{NAMESPACE}/workflows/{workflow}"


def _body(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    if answer.is_success and answer.status_code != httpx.codes.ACCEPTED:
        return body
    what = f"{answer.request.method} {answer.request.url.path}"
    raise StackFailed(f"The demo failed: {what} answered {answer.status_code}: {body}")
