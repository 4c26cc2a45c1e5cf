"""The policies of the KMS keys, compared with those of this release: what each lacks, and what it grants besides."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from commands.doctor.finding import Finding, fail, sound, warn
from commands.policies.place import Policy, Statement, listed

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PUT = "Render the policies with `python cli.py policies` and put this one with `aws kms put-key-policy`."
REMOVE = "Take the statement out of the key's policy, unless you added it on purpose."

Value = tuple[str, str]
"""One value in a statement, and where in it."""


def key_policy(kms: "KMSClient", arn: str, name: str, wanted: Policy) -> Iterator[Finding]:
    """`name` is what the settings call the key. AWS takes no alias here."""
    found: Policy = json.loads(kms.get_key_policy(KeyId=arn, PolicyName="default")["Policy"])
    thing = f"policy of key {name}"
    yield from sound(thing, "is that of this release", _differences(thing, _by_sid(wanted), _by_sid(found)))


def _differences(thing: str, wanted: Mapping[str, Statement], found: Mapping[str, Statement]) -> Iterator[Finding]:
    if not wanted.keys() & found.keys():
        yield fail(thing, "has no statement of this release: IAM alone decides who uses the key", PUT)
        return
    for sid, statement in wanted.items():
        if sid not in found:
            yield fail(thing, f"lacks the statement {sid}", PUT)
            continue
        values, others = _values(statement), _values(found[sid])
        for path, value in sorted(values - others):
            yield fail(thing, f"its statement {sid} lacks {value} in {path}", PUT)
        for path, value in sorted(others - values):
            yield fail(thing, f"its statement {sid} has {value} in {path} besides", PUT)
    # Those that are no use of the key.
    harmless = set(listed(wanted["AdministratorsCannotUseIt"]["Action"])) - {"kms:PutKeyPolicy"}
    for sid in found.keys() - wanted.keys():
        grants = found[sid]["Effect"] == "Allow" and not set(listed(found[sid].get("Action", "*"))) <= harmless
        yield (fail if grants else warn)(thing, f"has the statement {sid} besides", REMOVE)


def _by_sid(policy: Policy) -> dict[str, Statement]:
    """A statement without a name gets its place for one."""
    statements = policy.get("Statement", [])
    numbered = enumerate([statements] if isinstance(statements, dict) else statements, start=1)
    return {str(statement.get("Sid") or f"number {number}"): statement for number, statement in numbered}


def _values(statement: Statement) -> set[Value]:
    """The same for every way of writing it: AWS may reorder lists, and unpacks one of one value."""
    return {(path, value) for name, part in statement.items() if name != "Sid" for path, value in _leaves(name, part)}


def _leaves(path: str, part: Any) -> Iterator[Value]:
    if isinstance(part, dict):
        for name, inner in part.items():
            yield from _leaves(f"{path} {name}", inner)
    else:
        yield from ((path, str(value)) for value in (part if isinstance(part, list) else [part]))
