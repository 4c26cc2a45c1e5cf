"""What an AliCloud customer runs: a policy of exactly the actions that are published, and a role or a user with it."""

import json
from collections.abc import Sequence
from shlex import quote

from domain.onboarding.catalogue import Setup, SetupRequest
from providers.alicloud.description import account_of
from providers.alicloud.permissions import policy

PREFIX = "ThreatEngineReadOnly-"
"""Before what is this onboarding's own."""

ROLE_INSTRUCTIONS = """\
1. Sign in to the Alibaba Cloud console as an administrator of the account and open Cloud Shell; the script needs \
nothing else.
2. Save the script as threat-engine.sh and run: bash threat-engine.sh
3. It makes the role and the policy {name}, and prints the role's ARN. Submit it here as role_arn.

The role reads settings and never data, only this platform can assume it, and only with your external id. Running the \
script again changes nothing but what is missing. Another onboarding of this account has names of \
its own, and neither changes the other. To take the access away, delete the role.
"""

KEY_INSTRUCTIONS = """\
1. Sign in to the Alibaba Cloud console as an administrator of the account and open Cloud Shell; the script needs \
nothing else.
2. Save the script as threat-engine.sh and run: bash threat-engine.sh
3. It makes the RAM user and the policy {name} and an AccessKey pair, and prints the pair once. Submit AccessKeyId as \
access_key_id and AccessKeySecret as access_key_secret.

The user reads settings and never data, and cannot sign in to the console. Running the script again changes nothing \
but what is missing. Another onboarding of this account has names of its own, and neither changes the other. \
To take the access away, delete the user.
"""

POLICY_SCRIPT = """\
#!/usr/bin/env bash
# Lets a threat engine read the settings of this account. Needs the aliyun command line, which Cloud Shell has.
set -euo pipefail

NAME={name}
POLICY={policy}
ram() {{ aliyun ram "$@"; }}
exists() {{ ram "$@" >/dev/null 2>&1; }}

# The policy
if exists GetPolicy --PolicyType Custom --PolicyName "$NAME"; then
  ram CreatePolicyVersion --PolicyName "$NAME" --PolicyDocument "$POLICY" --SetAsDefault true \\
    --RotateStrategy DeleteOldestNonDefaultVersionWhenLimitExceeded >/dev/null
else
  ram CreatePolicy --PolicyName "$NAME" --PolicyDocument "$POLICY" >/dev/null
fi
"""

ROLE_SCRIPT = """
# The role, which only the platform can assume, and only with the external id
TRUST={trust}
if exists GetRole --RoleName "$NAME"; then
  ram UpdateRole --RoleName "$NAME" --NewAssumeRolePolicyDocument "$TRUST" >/dev/null
else
  ram CreateRole --RoleName "$NAME" --AssumeRolePolicyDocument "$TRUST" >/dev/null
fi
if ! ram ListPoliciesForRole --RoleName "$NAME" | grep "\\"$NAME\\"" >/dev/null; then
  ram AttachPolicyToRole --RoleName "$NAME" --PolicyType Custom --PolicyName "$NAME" >/dev/null
fi

printf 'role_arn  %s\\n' "$(ram GetRole --RoleName "$NAME" | sed -n 's/.*"Arn": *"\\([^"]*\\)".*/\\1/p')"
"""

KEY_SCRIPT = """
# The user, which cannot sign in to the console
if ! exists GetUser --UserName "$NAME"; then
  ram CreateUser --UserName "$NAME" >/dev/null
fi
if ! ram ListPoliciesForUser --UserName "$NAME" | grep "\\"$NAME\\"" >/dev/null; then
  ram AttachPolicyToUser --UserName "$NAME" --PolicyType Custom --PolicyName "$NAME" >/dev/null
fi

# The AccessKey pair, whose secret is shown this once
if ram ListAccessKeys --UserName "$NAME" | grep '"AccessKeyId"' >/dev/null; then
  printf 'The user %s has an AccessKey already. If its secret is lost, delete it and run the script again.\\n' "$NAME"
else
  ram CreateAccessKey --UserName "$NAME"
fi
"""


def role(principal_arn: str, request: SetupRequest, permissions: Sequence[str]) -> Setup:
    trust = quote(trust_policy(principal_arn, request.external_id))
    return _setup(
        ROLE_INSTRUCTIONS,
        ROLE_SCRIPT.format(trust=trust),
        request,
        permissions,
        platform_account_id=account_of(principal_arn),
    )


def access_key(request: SetupRequest, permissions: Sequence[str]) -> Setup:
    return _setup(KEY_INSTRUCTIONS, KEY_SCRIPT, request, permissions, platform_account_id=None)


def trust_policy(principal_arn: str, external_id: str) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"RAM": [principal_arn]},
        "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
    }
    return json.dumps({"Version": "1", "Statement": [statement]})


def _setup(
    instructions: str,
    script: str,
    request: SetupRequest,
    permissions: Sequence[str],
    *,
    platform_account_id: str | None,
) -> Setup:
    name = f"{PREFIX}{request.suffix}"
    return Setup(
        template=None,
        template_url=None,
        quick_create_url=None,
        instructions=instructions.format(name=name),
        platform_account_id=platform_account_id,
        script=POLICY_SCRIPT.format(name=quote(name), policy=quote(policy(permissions))) + script,
    )
