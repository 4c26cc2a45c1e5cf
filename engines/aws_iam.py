"""Checks of the root user, of passwords and of the users' keys."""

from collections.abc import Iterator

from domain.scans import Severity
from engines.aws_credential_report import active_keys, has_mfa, has_password, idle_credentials, users
from engines.aws_reader import AwsReader
from engines.checks import Judgement, cis_check, fsbp, judgement

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


def user_mfa(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for user in users(aws, region):
        if has_password(user):
            good, bad = "The user signs in with MFA.", "The user has a password for the console and no MFA."
            yield judgement(user["arn"], has_mfa(user), good=good, bad=bad)


def unused_credentials(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for user in users(aws, region):
        idle = idle_credentials(user, days=IDLE_DAYS)
        good = f"Each active credential of the user was used within {IDLE_DAYS} days."
        yield judgement(user["arn"], not idle, good=good, bad=f"Active but unused for {IDLE_DAYS} days: {idle}.")


def single_key(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for user in users(aws, region):
        if keys := active_keys(user):
            good, bad = "The user has one active access key.", "The user has two active access keys."
            yield judgement(user["arn"], len(keys) == 1, good=good, bad=bad)


def key_rotation(aws: AwsReader, region: str) -> Iterator[Judgement]:
    for user in users(aws, region):
        if keys := active_keys(user):
            good = f"No active access key is older than {KEY_DAYS} days."
            bad = f"An active access key is older than {KEY_DAYS} days."
            yield judgement(user["arn"], all(key.age_days <= KEY_DAYS for key in keys), good=good, bad=bad)


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
)
