"""What a customer copies out of a terminal, a document or a variable of a pipeline, in every field of every cloud."""

import json
from collections.abc import Callable, Mapping

import pytest

from domain.errors import InvalidInput
from domain.onboarding.catalogue import AuthMethod, CredentialField, parse_credential
from domain.onboarding.credentials import Credential
from tests.clouds.cases import CASES
from tests.providers.canned_aws import ROLE_ARN, canned_provider
from transport.client import GuardedClient

Damage = Callable[[str], str]

EVERYWHERE: Mapping[str, Damage] = {
    "a byte order mark": lambda text: f"\ufeff{text}",
    "windows": lambda text: f"{text}\r\n",
    "zero width": lambda text: f"{text}\u200b",
    "no-break space": lambda text: f"\u00a0{text}\u00a0",
}
QUOTED: Mapping[str, Damage] = {
    "quoted": lambda text: f'"{text}"',
    "typographic": lambda text: f"\u201c{text}\u201d",
    "a zero width space inside": lambda text: f"{text[:9]}\u200b{text[9:]}",
}
PEM: Mapping[str, Damage] = {
    "written line breaks": lambda text: text.replace("\n", "\\n"),
    "old mac": lambda text: text.replace("\n", "\r"),
}
AS_THEY_ARE = {"client_secret", "passphrase", "pass_phrase"}
"""Any sign may be part of them, quotation marks too."""
AWS = {
    "iam_role": {"role_arn": ROLE_ARN, "external_id": "te-1234", "account_number": "222222222222"},
    "access_key": {"access_key_id": "AKIACUSTOMERCUSTOMER", "secret_access_key": "s/+=" * 10},
}


def ways() -> Mapping[str, tuple[AuthMethod, Mapping[str, object]]]:
    aws = canned_provider("http://127.0.0.1:9").description
    found: dict[str, tuple[AuthMethod, Mapping[str, object]]] = {
        f"aws, {name}": (aws.method(name), good) for name, good in AWS.items()
    }
    for name, case in CASES.items():
        made = case()
        with GuardedClient(is_allowed=made.is_allowed) as client:
            found[name] = (made.make(client).description.method(made.method), made.good)
    return found


@pytest.fixture(scope="module", params=[*(f"aws, {name}" for name in AWS), *CASES])
def way(request: pytest.FixtureRequest) -> tuple[AuthMethod, Mapping[str, object]]:
    return ways()[request.param]


def test_each_field_is_read_as_it_was_before_it_was_copied(way: tuple[AuthMethod, Mapping[str, object]]):
    method, good = way
    expected = parse_credential(method, good)
    for field in method.fields:
        if field.name not in good:
            continue
        if field.members:
            _check_members(method, field, good, expected)
            continue
        for name, damage in damages(field).items():
            assert parse_credential(method, {**good, field.name: damage(str(good[field.name]))}) == expected, name


def _check_members(
    method: AuthMethod, field: CredentialField, good: Mapping[str, object], expected: Credential
) -> None:
    file = json.loads(expected.reveal(field.name))
    for name, damage in {**EVERYWHERE, "quoted": json.dumps}.items():
        assert parse_credential(method, {**good, field.name: damage(json.dumps(file))}) == expected, name
    for member in field.members:
        for name, damage in damages(member).items():
            damaged = {**good, field.name: {**file, member.name: damage(file[member.name])}}
            assert parse_credential(method, damaged) == expected, (member.name, name)


def damages(field: CredentialField) -> Mapping[str, Damage]:
    if field.name in AS_THEY_ARE:
        return EVERYWHERE
    return {**EVERYWHERE, **QUOTED, **(PEM if field.pem else {})}


def test_what_is_not_undone_is_named_and_never_shown(way: tuple[AuthMethod, Mapping[str, object]]):
    method, good = way
    for field in method.fields:
        if field.name in good and not field.members and not field.pem and field.name not in AS_THEY_ARE:
            value = str(good[field.name])
            with pytest.raises(InvalidInput) as raised:
                parse_credential(method, {**good, field.name: value[:-1] + "\u2013"})
            [problem] = raised.value.problems
            before, described, named = problem.message.partition(field.description)
            assert (before, described) == (f"{field.name} has the wrong format. ", field.description)
            assert "not ASCII" in named
            assert value[:8] not in named
