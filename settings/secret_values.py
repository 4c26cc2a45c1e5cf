"""The secret settings: which process needs which, and where the value of one comes from. A part of `config`.

A process reads those that it needs and no other one. Each is the variable itself, or the content of the file that
`<NAME>_FILE` names, as Docker and Kubernetes mount a secret.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

ALICLOUD_KEY = ("alicloud_access_key_id", "alicloud_access_key_secret")
ENGINE_TOKENS = tuple(f"{cloud}_engine_token" for cloud in ("aws", "azure", "gcp", "alicloud", "oci", "ibm"))

API_SECRETS: tuple[str, ...] = ("rate_limit_store_url",)
WORKER_SECRETS: tuple[str, ...] = (*ALICLOUD_KEY, *ENGINE_TOKENS)
SECRETS = (*API_SECRETS, *WORKER_SECRETS)
TEMPORAL_API_KEY = "temporal_api_key"
"""Every process has one of its own. `temporalio.envconfig` reads it from the variable only."""

MAX_FILE_BYTES = 8_192


class SettingsError(Exception):
    """Settings are missing or wrong: one sentence each, that names it and says what it must be, never what
    it was."""


def secret_values(needed: Iterable[str], environment: Mapping[str, str]) -> dict[str, str | None]:
    """The value of each secret that is needed, None for one that is not set. Raises SettingsError."""
    given = {name.lower(): value for name, value in environment.items() if value}
    values, sentences = dict[str, str | None](), []
    for name in needed:
        try:
            values[name] = _value(name, given)
        except SettingsError as error:
            sentences.append(str(error))
    if sentences:
        raise SettingsError("\n".join(sentences))
    return values


def unneeded(needed: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """The secrets in the environment of a process that another process needs, by the names of their variables."""
    given = {name.lower() for name, value in environment.items() if value}
    return [name.upper() for name in SECRETS if name in given and name not in needed]


def _value(name: str, given: Mapping[str, str]) -> str | None:
    path = given.get(f"{name}_file")
    if path is None:
        return given.get(name)
    if name in given:
        raise SettingsError(f"{name.upper()} and {name.upper()}_FILE are both set: set one of them.")
    return _content(f"{name.upper()}_FILE", Path(path))


def _content(variable: str, path: Path) -> str:
    """The text of a file, without the end of its last line. Raises SettingsError."""
    unreadable = SettingsError(f"{variable} has a wrong value: it must be the path of a file that can be read.")
    # A pipe or a device might never end.
    if not path.is_file():
        raise unreadable
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        raise unreadable from None
    if len(content) > MAX_FILE_BYTES:
        raise SettingsError(f"{variable} names a file that is too large: it may have {MAX_FILE_BYTES} bytes at most.")
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SettingsError(f"{variable} names a file that is not text in UTF-8.") from None
    if not text:
        raise SettingsError(f"{variable} names a file that is empty: it must hold the value.")
    return text
