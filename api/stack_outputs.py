"""What a customer copies from the outputs of its CloudFormation stack, as the fields of an IAM role credential."""

from dataclasses import replace

from api.body import strict_json
from domain.errors import InvalidInput, MalformedBody, Problem

POINTER = "/onboarding_json"

_FIELDS = {
    "account_id": "account_number",
    "AccountId": "account_number",
    "role_arn": "role_arn",
    "RoleArn": "role_arn",
    "external_id": "external_id",
    "ExternalId": "external_id",
}
"""AccountId is the cloud's account number here; in our own words an account id is ours."""


def credentials_in(outputs: dict[str, object] | str) -> dict[str, object]:
    """The fields of the credential. Raises InvalidInput for a text that is no JSON object, and for a field that is
    there in both spellings."""
    given = _object(outputs)
    fields: dict[str, object] = {}
    for name, value in given.items():
        field = _FIELDS.get(name, name)
        if field in fields:
            raise _invalid("duplicate_key", f"{field} is there in both spellings; send one.")
        fields[field] = value
    return fields


def _object(outputs: dict[str, object] | str) -> dict[str, object]:
    if isinstance(outputs, dict):
        return outputs
    try:
        value = strict_json(outputs.encode())
    except MalformedBody as error:
        raise InvalidInput(problems=[replace(problem, pointer=POINTER) for problem in error.problems]) from None
    if not isinstance(value, dict):
        raise _invalid("not_an_object", "onboarding_json must be a JSON object.")
    return value


def _invalid(code: str, message: str) -> InvalidInput:
    return InvalidInput(problems=[Problem(code, message, pointer=POINTER)])
