"""Checks of the root user, of passwords and of the users' keys."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import Any

from domain.scans.scan import Severity
from engines.aws.checks.credential_report import (
    User,
    active_keys,
    has_mfa,
    has_password,
    idle_credentials,
    number_of_active_keys,
    users,
)
from engines.aws.reader import AwsReader
from engines.checks import Judgement, Verdict, by_resource, cis_check, fsbp, holds_for_one, judgement

PASSWORD_CHARACTERS = 14
PASSWORDS_REMEMBERED = 24
IDLE_DAYS = 45
KEY_DAYS = 90


def root_keys(aws: AwsReader, region: str) -> Iterator[Judgement]:
    summary = aws.setting("iam:GetAccountSummary", region)["SummaryMap"]
    good, bad = "The root user has no access key.", "The root user has an access key."
    yield judgement(aws.account.root, summary["AccountAccessKeysPresent"] == 0, good=good, bad=bad)


def root_mfa(aws: AwsReader, region: str) -> Iterator[Judgement]:
    summary = aws.setting("iam:GetAccountSummary", region)["SummaryMap"]
    good, bad = "The root user signs in with MFA.", "The root user signs in without MFA."
    yield judgement(aws.account.root, summary["AccountMFAEnabled"] == 1, good=good, bad=bad)


def password_length(aws: AwsReader, region: str) -> Iterator[Judgement]:
    policy = (aws.read("iam:GetAccountPasswordPolicy", region) or {}).get("PasswordPolicy", {})
    good = f"Passwords have {PASSWORD_CHARACTERS} characters or more."
    bad = f"Passwords may have fewer than {PASSWORD_CHARACTERS} characters."
    yield judgement(aws.account.root, policy.get("MinimumPasswordLength", 0) >= PASSWORD_CHARACTERS, good=good, bad=bad)


def password_reuse(aws: AwsReader, region: str) -> Iterator[Judgement]:
    policy = (aws.read("iam:GetAccountPasswordPolicy", region) or {}).get("PasswordPolicy", {})
    good = f"The last {PASSWORDS_REMEMBERED} passwords cannot be used again."
    bad = f"One of the last {PASSWORDS_REMEMBERED} passwords can be used again."
    yield judgement(
        aws.account.root, policy.get("PasswordReusePrevention", 0) >= PASSWORDS_REMEMBERED, good=good, bad=bad
    )


def root_hardware_mfa(aws: AwsReader, region: str) -> Iterator[Judgement]:
    good, bad = "The root user signs in with a hardware MFA device.", "The root user signs in without MFA."
    summary = aws.setting("iam:GetAccountSummary", region)["SummaryMap"]
    signs_in_with_mfa = summary["AccountMFAEnabled"] == 1
    if signs_in_with_mfa and holds_for_one(aws.items("iam:ListVirtualMFADevices", region), partial(_is_of_root, aws)):
        signs_in_with_mfa, bad = False, "The root user signs in with a virtual MFA device."
    yield judgement(aws.account.root, signs_in_with_mfa, good=good, bad=bad)


def support_role(aws: AwsReader, region: str) -> Iterator[Judgement]:
    policy = f"arn:{aws.account.partition}:iam::aws:policy/AWSSupportAccess"
    found = any(True for _ in aws.items("iam:ListEntitiesForPolicy", region, PolicyArn=policy))
    good, bad = "A role may handle incidents with AWS Support.", "No role may handle incidents with AWS Support."
    yield judgement(aws.account.root, found, good=good, bad=bad)


def server_certificates(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def valid(certificate: dict[str, Any]) -> Verdict:
        return bool(certificate["Expiration"] > datetime.now(UTC))

    certificates = aws.items("iam:ListServerCertificates", region)
    good, bad = "The certificate has not expired.", "The certificate has expired and is still there to be used."
    yield from by_resource(aws, certificates, itemgetter("Arn"), valid, good=good, bad=bad)


def user_mfa(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def signs_in_safely(user: User) -> Verdict:
        return has_mfa(user) if has_password(user) else None

    good, bad = "The user signs in with MFA.", "The user has a password for the console and no MFA."
    yield from by_resource(aws, users(aws, region), itemgetter("arn"), signs_in_safely, good=good, bad=bad)


def unused_credentials(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def in_use(user: User) -> Verdict:
        idle = idle_credentials(user, days=IDLE_DAYS)
        return f"Active but unused for {IDLE_DAYS} days: {idle}." if idle else True

    good = f"Each active credential of the user was used within {IDLE_DAYS} days."
    yield from by_resource(aws, users(aws, region), itemgetter("arn"), in_use, good=good)


def single_key(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def has_one(user: User) -> Verdict:
        keys = number_of_active_keys(user)
        return keys == 1 if keys else None

    good, bad = "The user has one active access key.", "The user has two active access keys."
    yield from by_resource(aws, users(aws, region), itemgetter("arn"), has_one, good=good, bad=bad)


def key_rotation(aws: AwsReader, region: str) -> Iterator[Judgement]:
    def replaces_keys(user: User) -> Verdict:
        keys = active_keys(user)
        return all(key.age_days <= KEY_DAYS for key in keys) if keys else None

    good = f"No active access key is older than {KEY_DAYS} days."
    bad = f"An active access key is older than {KEY_DAYS} days."
    yield from by_resource(aws, users(aws, region), itemgetter("arn"), replaces_keys, good=good, bad=bad)


def _is_of_root(aws: AwsReader, device: dict[str, Any]) -> bool:
    """A virtual device of the root user may have any name; the first one that AWS made had this one."""
    owner = device.get("User", {}).get("Arn", "")
    return bool(owner == aws.account.root or device["SerialNumber"].endswith(":mfa/root-account-mfa-device"))


CHECKS = (
    cis_check(
        "1.4",
        "The root user has no access key",
        service="iam",
        severity=Severity.CRITICAL,
        remedy="Sign in as the root user and delete its access keys under Security credentials.",
        judge=root_keys,
        regional=False,
        also=(fsbp("IAM.4"),),
    ),
    cis_check(
        "1.5",
        "The root user signs in with MFA",
        service="iam",
        severity=Severity.CRITICAL,
        remedy="Sign in as the root user and assign an MFA device under Security credentials.",
        judge=root_mfa,
        regional=False,
    ),
    cis_check(
        "1.6",
        "The root user signs in with a hardware MFA device",
        service="iam",
        severity=Severity.CRITICAL,
        remedy="Sign in as the root user, assign a hardware MFA device or passkey and take the virtual one away.",
        judge=root_hardware_mfa,
        regional=False,
        also=(fsbp("IAM.6"),),
    ),
    cis_check(
        "1.8",
        f"Passwords have {PASSWORD_CHARACTERS} characters or more",
        service="iam",
        severity=Severity.MEDIUM,
        remedy=f"Set the minimum length in the account's password policy to {PASSWORD_CHARACTERS} or more.",
        judge=password_length,
        regional=False,
    ),
    cis_check(
        "1.9",
        "Passwords are not used again",
        service="iam",
        severity=Severity.MEDIUM,
        remedy=f"Let the account's password policy remember {PASSWORDS_REMEMBERED} passwords.",
        judge=password_reuse,
        regional=False,
    ),
    cis_check(
        "1.10",
        "Users with a password for the console sign in with MFA",
        service="iam",
        severity=Severity.HIGH,
        remedy="Assign an MFA device to the user, or take its password away.",
        judge=user_mfa,
        regional=False,
        also=(fsbp("IAM.5"),),
    ),
    cis_check(
        "1.12",
        f"Credentials that are not used for {IDLE_DAYS} days are switched off",
        service="iam",
        severity=Severity.MEDIUM,
        remedy="Make the key inactive or take the password away; delete the user when nobody needs it.",
        judge=unused_credentials,
        regional=False,
    ),
    cis_check(
        "1.13",
        "A user has one active access key",
        service="iam",
        severity=Severity.LOW,
        remedy="Make the key that is not in use inactive, then delete it.",
        judge=single_key,
        regional=False,
    ),
    cis_check(
        "1.14",
        f"Access keys are replaced within {KEY_DAYS} days",
        service="iam",
        severity=Severity.MEDIUM,
        remedy="Make a new key, use it everywhere, then make the old one inactive and delete it.",
        judge=key_rotation,
        regional=False,
        also=(fsbp("IAM.3"),),
    ),
    cis_check(
        "1.17",
        "A role may handle incidents with AWS Support",
        service="iam",
        severity=Severity.LOW,
        remedy="Make a role for those who handle incidents, and attach the policy AWSSupportAccess to it.",
        judge=support_role,
        regional=False,
        also=(fsbp("IAM.18"),),
    ),
    cis_check(
        "1.19",
        "No server certificate in IAM has expired",
        service="iam",
        severity=Severity.MEDIUM,
        remedy="Replace the certificate where it is in use, then delete it with delete-server-certificate.",
        judge=server_certificates,
        regional=False,
        also=(fsbp("IAM.26"),),
    ),
)
