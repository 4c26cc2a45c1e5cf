"""The values of credential fields that cost the most, for every cloud and method: what a customer would submit who
wants the others to wait."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

from domain.onboarding.catalogue import AuthMethod, CredentialField
from emulators.clouds.azure_tokens import made_certificate
from providers.pkcs8_encryption import MAX_ROUNDS
from providers.rsa_keys import MAX_KEY_BITS
from tests.providers.der_keys import PBKDF2, asking, block, hidden, long_dsa, long_rsa, number, octets, pkcs8

PASSPHRASE = "x"


@cache
def keys() -> Mapping[str, str]:
    """In PEM, by what is bad about them."""
    longest = pkcs8(long_rsa(MAX_KEY_BITS))
    certificate = made_certificate()[0].partition("-----BEGIN PRIVATE")[0]
    return {
        "8192 bits": block("PRIVATE KEY", pkcs8(long_rsa(8192))),
        "16384 bits of the older kind": block("RSA PRIVATE KEY", long_rsa(16_384)),
        "no primes": block("PRIVATE KEY", longest),
        "dsa": block("PRIVATE KEY", long_dsa()),
        "dsa, encrypted": hidden(long_dsa(), PASSPHRASE, rounds=MAX_ROUNDS),
        "as many rounds as are done": hidden(longest, PASSPHRASE, rounds=MAX_ROUNDS),
        "more rounds": asking(PBKDF2, octets(b"salt" * 4), number(2_000_000)),
        "a long salt": asking(PBKDF2, octets(b"s" * 11_000), number(MAX_ROUNDS)),
        "beginnings": "-----BEGIN PRIVATE KEY-----\n" * 585,
        "different beginnings": "".join(f"-----BEGIN A{n} PRIVATE KEY-----\n" for n in range(500)),
        "certificates": block("PRIVATE KEY", longest) + certificate * 10,
        "dashes": "-----BEGIN " + "-" * 16_000 + "-----END A-----",
        "line breaks": "-----BEGIN PRIVATE KEY-----" + "\\n" * 8_000,
    }


def worst_values(field: CredentialField) -> Iterator[object]:
    """For a field, whatever it is: long, nearly right, nested, and each key."""
    for sign in (
        *"aA0-.:/=+_ \t\n\\\"'{[%",
        "\\n",
        "\ufeff",
        "\u200b",
        "\u00a0",
        "\u0130",
        "\U0001f511",
        "arn:",
        "a.",
        "0:",
    ):
        text = (sign * field.max_characters)[: field.max_characters]
        yield from (text, text[:-1] + "!", "!" + text[1:])
    yield from (b64encode(b"-----BEGIN " * 1100).decode(), "LS0tLS1CRUdJTi" * 1100)
    yield from keys().values()
    if field.members:
        nested: Any = 0
        for _ in range(14):
            nested = {"a": nested}
        yield from (nested, "[" * 16_000, '{"a":' * 3_000, '{"a":1e999}', '{"a":' + "9" * 16_000 + "}")
        yield json.dumps({f"k{n}": n for n in range(1_200)})


def hostile_submissions(method: AuthMethod, good: Mapping[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    """Each worst value in its field, with the others as they should be; the encrypted keys with their pass phrase."""
    fields = {field.name: field for field in method.fields}
    phrase = next((name for name in fields if name.replace("_", "") == "passphrase"), None)
    for name, field in fields.items():
        for value in worst_values(field):
            yield name, {**good, name: value}
        for pem in keys().values() if phrase else ():
            yield f"{name}, with a pass phrase", {**good, name: pem, str(phrase): PASSPHRASE}
        for member in field.members:
            whole = good[name]
            parsed: dict[str, object] = json.loads(whole) if isinstance(whole, str) else dict(cast(Any, whole))
            for value in worst_values(member):
                yield f"{name}/{member.name}", {**good, name: {**parsed, member.name: value}}
