"""`python cli.py probe`: a real credential is proved against its cloud from here, and nothing is stored anywhere."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

import config
from composition.aws import aws_of
from composition.clouds import catalogue
from domain.accounts import ProviderType
from domain.errors import InvalidInput, Trouble
from domain.onboarding.catalogue import parse_credential
from domain.onboarding.validation import Expectation, Step, Verdict
from settings.secret_values import ALICLOUD_KEY

MAX_FILE_BYTES = 64 * 1024
KEY_FILE = "service_account"
"""The `type` of a Google key file, which is a field of the credential and not the credential itself."""

Cloud = Annotated[ProviderType, typer.Option(case_sensitive=False, help="The cloud.")]
File = Annotated[Path, typer.Option("--credential-file", help="A JSON object with the method's fields.")]
Method = Annotated[str | None, typer.Option(help="The method of access; the cloud's first one by default.")]
ExternalId = Annotated[str, typer.Option(help="The external id that the trust must ask for, of a method that has one.")]
Number = Annotated[str | None, typer.Option("--account-number", help="The account that the credential must be of.")]


def probe(
    provider: Cloud,
    credential_file: File,
    method: Method = None,
    external_id: ExternalId = "",
    number: Number = None,
) -> None:
    """Prove a credential against its cloud, step by step. Nothing is stored. Exit code 0 when it would be accepted."""
    settings, _ = config.load(ALICLOUD_KEY)
    aws = aws_of(settings)
    cloud = catalogue(settings, aws).provider(provider)
    try:
        chosen = cloud.description.method(method)
        credential = parse_credential(chosen, _fields(credential_file))
        verdict = cloud.validate(credential, Expectation(external_id, number))
    except InvalidInput as error:
        print(error.message, *(f"  {problem.message}" for problem in error.problems), sep="\n", file=sys.stderr)
        raise typer.Exit(1) from None
    except Trouble as trouble:
        print(f"There is no verdict: {trouble.message}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(text_of(cloud.description.name, verdict))
    raise typer.Exit(int(not verdict.accepted))


def text_of(cloud: str, verdict: Verdict) -> str:
    lines = [line for step in verdict.steps for line in _lines(step)]
    if verdict.identity:
        lines.append(f"{cloud} calls it {verdict.identity}, of account {verdict.account_number}.")
    return "\n".join([*lines, f"An account with this credential would be {verdict.outcome.value}."])


def _lines(step: Step) -> list[str]:
    lines = [f"{step.status.value:8} {step.name:12} {step.message}"]
    if step.remedy:
        lines.append(f"{'':21} {step.remedy}")
    return lines + [f"{'':21} - {permission}" for permission in step.missing_permissions]


def _fields(path: Path) -> Mapping[str, Any]:
    """What the file holds, whose content is never shown. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        found = json.loads(content) if len(content) <= MAX_FILE_BYTES else None
    except (OSError, ValueError, RecursionError):
        raise InvalidInput("The credential file cannot be read, or is not JSON.") from None
    if not isinstance(found, dict):
        raise InvalidInput(f"The credential file must be one JSON object of at most {MAX_FILE_BYTES} bytes.")
    if found.get("type") == KEY_FILE:
        return {f"{KEY_FILE}_json": found}
    return found
