"""What the roles of our processes may do, as IAM itself works it out without anything being done.

The simulation looks at a role's own policies and its permissions boundary. Key policies and the organisation's policies
can still deny, so an ok here is a necessary condition.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from commands.doctor.finding import Finding, cause_of, fail, sound, unknown
from commands.doctor.iam_requirements import Need
from domain.errors import OnboardingError
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

ALLOWED = "allowed"
GRANT = "Grant it to the role, or take away what denies it: a boundary, or a condition."


def role(iam: "IAMClient", name: str, title: str, needs: Sequence[Need]) -> Iterator[Finding]:
    """`title` says whose role it is. Nothing about it is known when IAM does not answer all questions."""
    thing = f"role {name} of the {title}"
    count = len({(action, need.resource) for need in needs if not need.forbidden for action in need.actions})
    good = f"its policies allow the {count} things it needs, and none it must not do"
    try:
        with aws_failures():
            found = sound(thing, good, _of_role(iam, name, thing, needs))
    except OnboardingError as error:
        remedy = "Run this as a role that may call iam:GetRole and iam:SimulatePrincipalPolicy."
        found = (unknown(thing, f"could not check ({cause_of(error)})", remedy),)
    yield from found


def _of_role(iam: "IAMClient", name: str, thing: str, needs: Sequence[Need]) -> Iterator[Finding]:
    try:
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        yield fail(thing, "there is no such role in this account", "Make the role, or correct its name.")
        return
    yield from _problems(iam, arn, thing, needs)


def _problems(iam: "IAMClient", arn: str, thing: str, needs: Sequence[Need]) -> Iterator[Finding]:
    missing, open_conditions = defaultdict[str, list[str]](list), set[str]()
    excess: dict[str, None] = {}
    for need in needs:
        for action, decision, conditional in _decisions(iam, arn, need):
            if need.forbidden and decision == ALLOWED:
                excess[f"may {action} on {need.resource}"] = None
            elif not need.forbidden and decision != ALLOWED and conditional:
                open_conditions.add(action)
            elif not need.forbidden and decision != ALLOWED:
                missing[need.resource].append(action)
    for found in excess:
        yield fail(thing, found, "Take it away: the API must not be able to read what it stores.")
    for resource, actions in missing.items():
        yield fail(thing, f"may not {', '.join(dict.fromkeys(actions))} on {resource}", GRANT)
    if open_conditions:
        found = f"depends on conditions that cannot be simulated: {', '.join(sorted(open_conditions))}"
        yield unknown(thing, found, "Onboard an account to see.")


def _decisions(iam: "IAMClient", arn: str, need: Need) -> Iterator[tuple[str, str, bool]]:
    """Each action with its decision, and whether that depends on a value that was not given, or not looked at."""
    # Emulators, which are spoken to without TLS, simulate as if no value were given, and do not say so.
    overlooked = bool(need.context) and not iam.meta.endpoint_url.startswith("https:")
    context: Any = [
        {
            "ContextKeyName": name,
            "ContextKeyType": "string" if isinstance(value, str) else "stringList",
            "ContextKeyValues": [value] if isinstance(value, str) else list(value),
        }
        for name, value in need.context.items()
    ]
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn, ActionNames=need.actions, ResourceArns=[need.resource], ContextEntries=context
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            yield (
                result["EvalActionName"],
                result["EvalDecision"],
                overlooked or bool(result.get("MissingContextValues")),
            )
