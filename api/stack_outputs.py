"""What a customer copies from its CloudFormation stack, as the fields of an IAM role credential: the outputs by name,
the output OnboardingJson, or what `aws cloudformation describe-stacks` prints, whole or in part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from api.http.json_body import strict_json
from domain.errors import InvalidInput, MalformedBody, Problem
from domain.onboarding.pasted import mended_object, trimmed

POINTER = "/onboarding_json"
MAX_TEXTS = 2
"""How many texts may be inside of each other: a shell's quoting adds one."""

NOT_JSON = "not_json"

_FIELDS = {
    "account_id": "account_number",
    "AccountId": "account_number",
    "role_arn": "role_arn",
    "RoleArn": "role_arn",
    "external_id": "external_id",
    "ExternalId": "external_id",
}
"""AccountId is the cloud's account number here; in our own words an account id is ours."""

_WHOLE = ("OnboardingJson", "onboarding_json")
"""The output that holds all others in one text."""


@dataclass(frozen=True)
class StackOutputs:
    """The fields of the credential, and where in the body each one was."""

    fields: dict[str, object] = field(repr=False)
    pointers: Mapping[str, str]

    def pointer(self, pointer: str | None) -> str:
        """The place in the body for a place in the credential."""
        return self.pointers.get((pointer or "").removeprefix("/credentials/"), POINTER)


def outputs_in(given: object) -> StackOutputs:
    """Whatever else a stack puts out is dropped unseen. Raises InvalidInput for a text that is no JSON of that kind,
    and for a field that is there with two values."""
    fields: dict[str, object] = {}
    pointers: dict[str, str] = {}
    for name, value, pointer in _outputs(given, POINTER):
        known = _FIELDS.get(name)
        if known is not None and fields.setdefault(known, value) != value:
            message = f"{name} is there with two values; send the outputs of one stack, each of them once."
            raise InvalidInput(problems=[Problem("duplicate_key", message, pointer=pointer)])
        if known is not None:
            pointers.setdefault(known, pointer)
    return StackOutputs(fields, pointers)


Output = tuple[str, object, str]


def _outputs(given: object, pointer: str) -> Iterator[Output]:
    """By name, each with the place where it was; inside of a text there are no places."""
    value = _parsed(given, pointer)
    for name, found, where in _named(value, pointer):
        place = pointer if isinstance(given, str) else where
        if name in _WHOLE:
            yield from ((inner, each, place) for inner, each, _ in _named(_parsed(found, place), place))
        else:
            yield name, found, place


def _named(value: object, pointer: str) -> Iterator[Output]:
    """Of one stack or of several, and of the list or the object that has a stack's outputs."""
    match value:
        case {"Stacks": list(stacks)}:
            yield from _named(stacks, f"{pointer}/Stacks")
        case {"Outputs": list(outputs)}:
            yield from _named(outputs, f"{pointer}/Outputs")
        case {"OutputKey": str(name), "OutputValue": found}:
            yield name, found, f"{pointer}/OutputValue"
        case dict():
            yield from ((str(name), found, f"{pointer}/{name}") for name, found in value.items() if name in _KNOWN)
        case list():
            for number, each in enumerate(value):
                if isinstance(each, dict):
                    yield from _named(each, f"{pointer}/{number}")


_KNOWN = {*_FIELDS, *_WHOLE}


def _parsed(given: object, pointer: str) -> object:
    value = given
    for _ in range(MAX_TEXTS):
        if isinstance(value, str):
            value = _json(value, pointer)
    if not isinstance(value, dict | list):
        message = (
            f"onboarding_json must be an object with the outputs {', '.join(_FIELDS)}, the output OnboardingJson, or "
            "what describe-stacks printed; or the text of one of these."
        )
        raise InvalidInput(problems=[Problem("not_an_object", message, pointer=pointer)])
    return value


def _json(text: str, pointer: str) -> object:
    try:
        return strict_json(trimmed(text).encode())
    except MalformedBody as error:
        damaged = [problem for problem in error.problems if problem.code == NOT_JSON]
        if damaged and (found := mended_object(text)) is not None:
            return found
        message = "onboarding_json is a text that is not valid JSON."
        problems = [replace(p, pointer=pointer, message=message if p in damaged else p.message) for p in error.problems]
    raise InvalidInput(problems=problems)
