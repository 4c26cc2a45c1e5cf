"""What each cloud asks for: its methods, their fields and formats, its permissions. Data that drives the methods
endpoint, the check of a submission's shape, and the documentation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.accounts import ProviderType
from domain.credentials import Credential
from domain.errors import InvalidInput, Problem

MAX_FIELD_CHARACTERS = 16_384


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
    """One permission that scanning uses. Without a required one the account is refused, without another one limited."""

    name: str
    required: bool
    purpose: str


@dataclass(frozen=True)
class ProviderDescription:
    """All that is published about onboarding accounts of one cloud. The first method is the default one."""

    provider_type: ProviderType
    name: str
    methods: tuple[AuthMethod, ...]
    permissions: tuple[Permission, ...]
    account_number_pattern: str

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
    """The credential in `given`, trimmed of surrounding white space. Raises InvalidInput with every problem found;
    a problem names a declared field or says how many undeclared ones there are, and never a value."""
    problems = [problem for field in method.fields if (problem := _problem(field, given.get(field.name)))]
    declared = {field.name for field in method.fields}
    undeclared = sum(1 for name in given if name not in declared)
    if undeclared:
        expected = ", ".join(field.name for field in method.fields)
        message = f"{undeclared} unknown field(s) in the credentials; the fields are: {expected}."
        problems.append(Problem("unknown_field", message, pointer="/credentials"))
    if problems:
        raise InvalidInput(problems=problems)
    texts = {name: str(given[name]).strip() for name in given if given[name] is not None}
    return Credential(method.credential_type, texts)


def _problem(field: CredentialField, value: object) -> Problem | None:
    pointer = f"/credentials/{field.name}"
    if value is None:
        missing = Problem("missing", f"{field.name} is missing. {field.description}", pointer=pointer)
        return missing if field.required else None
    if not isinstance(value, str):
        return Problem("not_text", f"{field.name} must be text. {field.description}", pointer=pointer)
    if len(value) > field.max_characters:
        return Problem("too_long", f"{field.name} is longer than {field.max_characters} characters.", pointer=pointer)
    if not re.fullmatch(field.pattern, value.strip()):
        return Problem("bad_format", f"{field.name} has the wrong format. {field.description}", pointer=pointer)
    return None
