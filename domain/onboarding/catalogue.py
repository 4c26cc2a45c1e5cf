"""What each cloud asks for: its methods, their fields and formats, its permissions. Data that drives the methods
endpoint, the check of a submission's shape, and the documentation."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from domain.accounts import ProviderType
from domain.errors import InvalidInput, Problem
from domain.idempotency import canonical
from domain.onboarding.credentials import Credential
from domain.onboarding.pasted import damage_in, has_private_key, mended, mended_object, mended_pem

MAX_FIELD_CHARACTERS = 16_384


@dataclass(frozen=True)
class Rule:
    """What a value of the right format must fulfil besides, because the platform can use no other one."""

    pattern: str
    """Must match the whole value too."""
    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True)
class CredentialField:
    """One field of a credential. `pattern` must match the whole value."""

    name: str
    pattern: str
    description: str
    """What it is and what it looks like; shown when a value does not match, so it never depends on the value."""
    required: bool = True
    secret: bool = False
    max_characters: int = MAX_FIELD_CHARACTERS
    rule: Rule | None = None
    members: tuple["CredentialField", ...] = ()
    """Of a field that is a JSON object, submitted as an object or as its text: what is kept of it. Whatever else it
    holds is dropped unseen, and the credential has the canonical text of the rest."""
    pem: bool = False
    """Whether it is a private key in PEM, perhaps with its certificate: its line breaks can be put right."""

    def mend(self, text: str) -> str:
        """The text without what copying has done to it, as far as only one thing can be meant."""
        if self.pem:
            return mended_pem(text)
        return mended(text, lambda form: bool(re.fullmatch(self.pattern, form)))


@dataclass(frozen=True)
class AuthMethod:
    """One way to give access to an account of a cloud."""

    method: str
    credential_type: str
    name: str
    description: str
    fields: tuple[CredentialField, ...]
    cloudformation_supported: bool = False

    @property
    def requires(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.required)

    @property
    def takes_external_id(self) -> bool:
        """Whether the customer's trust policy names the external id that we made for the account."""
        return any(field.name == "external_id" for field in self.fields)


@dataclass(frozen=True)
class Permission:
    """One permission that validation or a scan uses. Without a required one the account is refused, without another
    one limited."""

    name: str
    required: bool
    purpose: str


FOR_AN_ENGINE = "The scan engine that the operators run asks for it."


@dataclass(frozen=True)
class ProviderDescription:
    """All that is published about onboarding accounts of one cloud. The first method is the default one."""

    provider_type: ProviderType
    name: str
    methods: tuple[AuthMethod, ...]
    permissions: tuple[Permission, ...]
    account_number_pattern: str
    propagation_seconds: int = 15
    """How long what was just made or granted may be unknown to the cloud, when the customer says that it was."""

    def with_permissions(self, names: Sequence[str]) -> "ProviderDescription":
        """With the permissions that an engine of the operator's needs besides the published ones."""
        published = {permission.name for permission in self.permissions}
        more = (Permission(name, required=False, purpose=FOR_AN_ENGINE) for name in names if name not in published)
        return replace(self, permissions=(*self.permissions, *more))

    def method(self, name: str | None) -> AuthMethod:
        """The method of that name, the default one for None; raises InvalidInput."""
        if name is None:
            return self.methods[0]
        for method in self.methods:
            if method.method == name:
                return method
        known = ", ".join(method.method for method in self.methods)
        problem = Problem("unknown_auth_method", f"Use one of: {known}.", pointer="/auth_method")
        raise InvalidInput(problems=[problem])


@dataclass(frozen=True)
class SetupRequest:
    """For whom setup instructions are wanted. `external_id` is the account's own one; no method means the default."""

    external_id: str
    account_name: str = ""
    auth_method: str | None = None
    account_id: str = ""
    """The account's id here; empty for a template that is asked for by its external id alone."""

    @property
    def suffix(self) -> str:
        """What the names of all that is made for this onboarding end with, so that another onboarding of the same
        cloud account makes its own and changes nothing of this one's: 8 hexadecimal digits."""
        return self.account_id[:8] or sha256(self.external_id.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Setup:
    """What the customer deploys or runs in its cloud."""

    template: str | None
    template_url: str | None
    quick_create_url: str | None
    instructions: str
    platform_account_id: str | None
    script: str | None = None
    """Commands of the cloud's own command line, which make the credential with the permissions that are published."""


def parse_credential(method: AuthMethod, given: Mapping[str, object]) -> Credential:
    """The credential in `given`, without the damage that copying does. Raises InvalidInput with every problem found;
    a problem names a declared field or says how many undeclared ones there are, and never a value."""
    texts, problems = _read(method.fields, given, "/credentials")
    declared = {field.name for field in method.fields}
    undeclared = sum(1 for name in given if name not in declared)
    if undeclared:
        names = [field.name for field in method.fields]
        problems.append(unknown_fields(undeclared, names, pointer="/credentials", where="credentials"))
    if problems:
        raise InvalidInput(problems=problems)
    return Credential(method.credential_type, texts)


def unknown_fields(times: int, known: Iterable[str], *, pointer: str, where: str = "") -> Problem:
    """Of fields that are not declared: the caller made their names up, so they are counted and not named."""
    names = ", ".join(known)
    fields = f"the fields are: {names}" if names else "there are none, so send {}"
    message = f"{times} unknown field{'' if times == 1 else 's'}{where and f' in {where}'}; {fields}."
    return Problem("unknown_field", message, pointer=pointer)


def members_of(credential: Credential, name: str) -> Mapping[str, str]:
    """What was kept of a field that is a JSON object."""
    found: Mapping[str, str] = json.loads(credential.reveal(name))
    return found


def _read(
    fields: Sequence[CredentialField], given: Mapping[str, object], pointer: str
) -> tuple[dict[str, str], list[Problem]]:
    """The texts of the declared fields that are there, and everything that is wrong with them."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for field in fields:
        try:
            text = _text(field, given.get(field.name), f"{pointer}/{field.name}")
        except InvalidInput as error:
            problems += error.problems
        else:
            if text is not None:
                texts[field.name] = text
    return texts, problems


def _text(field: CredentialField, value: object, pointer: str) -> str | None:
    """The text of a field's value, None for one that is not there. Raises InvalidInput."""
    if field.members and value is not None:
        value = _kept(field, value, pointer)
    if isinstance(value, int) and re.fullmatch(field.pattern, str(value)):
        value = str(value)  # the number of an account or of a project
    if problem := _problem(field, value, pointer):
        raise InvalidInput(problems=[problem])
    return None if value is None else field.mend(str(value))


def _kept(field: CredentialField, value: object, pointer: str) -> str:
    texts, problems = _read(field.members, _object(field, value, pointer), pointer)
    if problems:
        raise InvalidInput(problems=problems)
    return canonical(texts).decode()


def _object(field: CredentialField, value: object, pointer: str) -> Mapping[str, object]:
    if isinstance(value, str):
        found = mended_object(value) if len(value) <= field.max_characters else None
        if found is None and (problem := _problem(field, value, pointer)):
            raise InvalidInput(problems=[problem])
        value = found
    if not isinstance(value, Mapping):
        message = f"{field.name} must be a JSON object, or its text. {field.description}"
        raise InvalidInput(problems=[Problem("not_an_object", message, pointer=pointer)])
    return value


def _problem(field: CredentialField, value: object, pointer: str) -> Problem | None:
    if value is None:
        missing = Problem("missing", f"{field.name} is missing. {field.description}", pointer=pointer)
        return missing if field.required else None
    if not isinstance(value, str):
        return Problem("not_text", f"{field.name} must be text. {field.description}", pointer=pointer)
    text = field.mend(value) if len(value) <= _longest(field) else value
    if len(text) > field.max_characters:
        return _too_long(field, pointer)
    if not re.fullmatch(field.pattern, text) or (field.pem and not has_private_key(text)):
        message = " ".join((f"{field.name} has the wrong format. {field.description}", damage_in(value))).strip()
        return Problem("bad_format", message, pointer=pointer)
    if field.rule and not re.fullmatch(field.rule.pattern, text):
        return Problem(field.rule.code, field.rule.sentence, pointer=pointer, remedy=field.rule.remedy)
    return None


def _longest(field: CredentialField) -> int:
    """What is looked at: quotation marks, blanks and line breaks that were written out may come to the value itself."""
    return 2 * field.max_characters + 64


def _too_long(field: CredentialField, pointer: str) -> Problem:
    message = f"{field.name} is longer than {field.max_characters} characters. {field.description}"
    return Problem("too_long", message, pointer=pointer)
