"""What an AWS customer deploys: our CloudFormation template, filled in for one account."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlencode

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.aws.partitions import partition_of
from providers.aws.role_names import RoleNames

STACK_PREFIX = "ThreatEngine-"
ROLE_SUFFIX = "ReadOnly-"
"""Between the beginning of the names that we may assume and what is this onboarding's own."""

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""By partition. Where we know none there is no quick-create link."""

INSTRUCTIONS = """\
1. Sign in to the AWS account that you want to onboard, as someone who may create IAM roles.
2. {deploy}
3. Check the parameters: ExternalId is {ExternalId}, PlatformAccountId is {PlatformAccountId}, PlatformRoleName is \
{PlatformRoleName} and RoleName is {RoleName}. Leave them as they are. The stack's name is {stack}.
4. Tick the box that lets CloudFormation create an IAM role with a name, and create the stack.
5. Wait until the stack is CREATE_COMPLETE, usually within a minute.
6. Open the stack's Outputs, copy RoleArn, and submit it here as role_arn.

If CloudFormation says that the stack or the role exists already, they were made for this same onboarding before. Open \
the stack {stack}, choose Update, replace its template by this one and leave the parameters as they are. Do not update \
or delete a stack of another name: its role belongs to another onboarding of this AWS account.

{rule} The role reads settings and never data, only this platform can assume it, and only with your external id. To \
take the access away, delete the stack.
"""


@dataclass(frozen=True)
class TrustedRole:
    """The role of ours that a customer's role trusts, and the region of the links."""

    account_id: str
    role_name: str
    region: str


def setup_of(
    request: SetupRequest,
    permissions: Sequence[str],
    *,
    trusted: TrustedRole,
    names: RoleNames,
    template_url: str | None,
) -> Setup:
    """Stack and role are named for this onboarding, and the role so that we may assume it."""
    stack = f"{STACK_PREFIX}{request.suffix}"
    parameters = {
        "ExternalId": request.external_id,
        "PlatformAccountId": trusted.account_id,
        "PlatformRoleName": trusted.role_name,
        "RoleName": f"{names.prefix}{ROLE_SUFFIX}{request.suffix}",
        "RolePath": names.path or "/",
    }
    deploy = "Open CloudFormation, choose Create stack, and upload the template."
    if template_url:
        deploy = "Open the quick-create link, or open CloudFormation, choose Create stack, and upload the template."
    return Setup(
        template=template_with(parameters, names, permissions),
        template_url=template_url,
        quick_create_url=_quick_create_url(template_url, trusted.region, stack=stack, parameters=parameters),
        instructions=INSTRUCTIONS.format(deploy=deploy, stack=stack, rule=names.rule, **parameters),
        platform_account_id=trusted.account_id,
    )


def template_with(defaults: Mapping[str, str], names: RoleNames | None = None, permissions: Sequence[str] = ()) -> str:
    """Our template as it is published, with `defaults` filled in as the parameters' default values, with the names that
    the role may have, and with those of the permissions that it does not grant yet."""
    template = json.loads(files("providers.aws").joinpath("role_template.json").read_text(encoding="utf-8"))
    for name, value in defaults.items():
        template["Parameters"][name]["Default"] = value
    if names:
        template["Parameters"]["RoleName"]["AllowedPattern"] = f"{re.escape(names.prefix)}[A-Za-z0-9_+=,.@-]*"
        template["Parameters"]["RoleName"]["Description"] = names.rule
    granted = template["Resources"]["ReadOnlyRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    granted["Action"] = sorted({*granted["Action"], *permissions})
    return json.dumps(template, indent=2)


def _quick_create_url(
    template_url: str | None, region: str, *, stack: str, parameters: Mapping[str, str]
) -> str | None:
    """None without the address of the template, as the console reads it from S3 and from nowhere else; and where we
    know of no console."""
    console = CONSOLES.get(partition_of(region) or "")
    if template_url is None or console is None:
        return None
    values = {f"param_{name}": value for name, value in parameters.items()}
    query = urlencode({"templateURL": template_url, "stackName": stack, **values})
    return f"https://{region}.{console}/cloudformation/home?region={region}#/stacks/quickcreate?{query}"
