"""What `make security ARGS=mutants` changes, and the tests that must notice. The only place that names both."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """A module, and tests of it that start no server and take seconds."""

    path: str
    tests: tuple[str, ...]
    only: tuple[str, ...] = ()
    """The functions and classes that are changed; all of the module when empty."""
    options: tuple[str, ...] = ()
    """Of pytest, to leave out what is slow."""


ALONE = ("--noconftest",)
"""For tests that need no fixture of their folder: to load those takes longer than a test."""

SUBJECTS: Mapping[str, Subject] = {
    "api-keys": Subject(
        "domain/callers/api_keys.py", ("tests/domain/test_new_keys.py", "tests/domain/test_api_keys.py"), options=ALONE
    ),
    "scopes": Subject("domain/callers/access.py", ("tests/domain/test_access.py",)),
    "guard": Subject("transport/guard.py", ("tests/transport/test_guard.py",), options=ALONE),
    "access-tokens": Subject("api/auth/access_tokens.py", ("tests/api/test_token_claims.py",), options=ALONE),
    "issuer-keys": Subject("api/auth/issuer_keys.py", ("tests/api/test_issuer_keys.py",), options=ALONE),
    "external-ids": Subject("providers/external_ids.py", ("tests/providers/test_external_ids.py",), options=ALONE),
    "authenticator": Subject("api/auth/authenticator.py", ("tests/api/test_recognising.py",), options=ALONE),
    "access": Subject("api/auth/access.py", ("tests/api/test_reach.py",), options=ALONE),
    "permissions": Subject("api/auth/permissions.py", ("tests/api/test_reach.py",), options=ALONE),
    "signatures": Subject(
        "temporal/signing/signatures.py",
        ("tests/temporal/test_signing_rules.py", "tests/temporal/test_signing.py"),
        options=ALONE,
    ),
    "names": Subject("domain/names.py", ("tests/domain/test_names.py",), options=ALONE),
    "channel-policy": Subject(
        "notify/policy.py", ("tests/notify/test_policy.py",), options=(*ALONE, "-k", "not any_text")
    ),
    "webhooks": Subject("notify/webhook.py", ("tests/notify/test_webhook_signature.py",), options=ALONE),
    "audit-trail": Subject("domain/audit/trail.py", ("tests/domain/test_breaches.py",), options=ALONE),
    "audit-anchors": Subject("domain/audit/anchors.py", ("tests/domain/test_breaches.py",), options=ALONE),
    "sealing": Subject("stores/secrets/sealing.py", ("tests/stores/test_envelopes.py",), options=ALONE),
    "validation-sessions": Subject(
        "providers/aws/provider.py",
        ("tests/engines/test_session_policies.py",),
        only=("Access.assume", "Access.check_own_role"),
        options=ALONE,
    ),
    "scan-sessions": Subject(
        "engines/aws/session.py",
        ("tests/engines/test_session_policies.py",),
        only=("AwsSessions.assume", "AwsSessions._check_own_role", "session_of", "refused"),
        options=ALONE,
    ),
    "scoped-sessions": Subject(
        "engines/aws/scoped_session.py", ("tests/engines/test_session_policies.py",), options=ALONE
    ),
    "session-policy": Subject(
        "providers/aws/permissions.py",
        ("tests/engines/test_session_policies.py",),
        only=("session_policy",),
        options=ALONE,
    ),
    "own-scan": Subject(
        "engines/aws/baseline.py",
        ("tests/engines/test_session_policies.py",),
        only=("AwsBaseline._key", "_account"),
        options=ALONE,
    ),
    "log-masking": Subject(
        "logs.py",
        ("tests/test_logs.py",),
        only=(
            *("configure", "_keep_constant_text", "_name_trace", "_name_error", "_keep_known_fields", "_plain"),
            *("describe", "_causes", "_is_ours", "_log_uncaught"),
        ),
        options=(*ALONE, "-k", "not whatever_is_logged"),
    ),
    "result-links": Subject(
        "stores/s3/results.py",
        ("tests/stores/test_result_links.py",),
        only=("S3ResultStore.link", "(module)"),
        options=ALONE,
    ),
    "idempotency": Subject(
        "api/http/idempotency.py",
        ("tests/api/test_once.py",),
        only=("reply", "Once", "_settled", "_final"),
        options=ALONE,
    ),
}
