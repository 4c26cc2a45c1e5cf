"""Every kind of failed call, through the real boto3: what the customer is told, and what is ours."""

from pathlib import Path
from threading import Event

import boto3.session
import pytest
from botocore.loaders import Loader

from domain.errors import ClockSkew, PlatformConfig, Throttled, Trouble, Unavailable
from domain.onboarding.validation import Outcome
from emulators.ports import free_port
from providers.aws.provider import AwsProvider, PlatformAws, isolated_session
from tests.providers.aws_accounts import EXPECTED, PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION, finding
from tests.providers.canned_aws import (
    KEY,
    ROLE,
    Answer,
    CannedAws,
    canned_provider,
    error,
    running_canned_aws,
)
from tests.providers.certificates import self_signed_certificate

LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"

TROUBLE = {
    Throttled: [
        error("Throttling", 400),
        error("ThrottlingException", 400),
        error("RequestLimitExceeded", 503),
        error("TooManyRequestsException", 429),
        error("SlowDown", 503),
        Answer(429, "<html>Too many requests</html>"),
    ],
    Unavailable: [
        error("ServiceUnavailable", 503),
        error("InternalFailure", 500),
        error("SomethingNew", 500),
        Answer(500, "<html>Internal error</html>"),
        Answer(502, "<html>Bad gateway"),
        Answer(503, ""),
        Answer(200, "<html>Welcome to the airport"),
        Answer(200, "<html>Welcome to the hotel</html>"),
        Answer(200, "\x00\x01"),
        Answer(drop="at once"),
        Answer(drop="halfway"),
    ],
    ClockSkew: [
        error("RequestExpired", 400),
        error("RequestTimeTooSkewed", 403),
        error("SignatureDoesNotMatch", 403, Date=LONG_AGO),
    ],
    PlatformConfig: [
        error("RegionDisabledException", 403),
        error("MalformedPolicyDocument", 400),
        error("PackedPolicyTooLarge", 400),
        error("SomethingNew", 400),
        Answer(403, "<html>Blocked by the proxy</html>"),
    ],
}
REFUSED = [
    (error("InvalidClientTokenId", 403), "unknown_key"),
    (error("UnrecognizedClientException", 400), "unknown_key"),
    (error("SignatureDoesNotMatch", 403), "wrong_secret"),
    (error("ExpiredToken", 400), "expired_credential"),
    (error("ExpiredToken", 403), "expired_credential"),
    (error("AccessDenied", 403), "access_denied"),
    (error("ValidationError", 400), "invalid_input"),
    (error("OptInRequired", 403), "account_not_active"),
]
OURS = ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken", "OptInRequired"]


def label(value: object) -> str | None:
    return f"{value.status} {value.body[:60]} {value.drop}" if isinstance(value, Answer) else None


rows = pytest.mark.parametrize(
    ("answer", "trouble"), [(answer, kind) for kind, answers in TROUBLE.items() for answer in answers], ids=label
)

one_of_each = pytest.mark.parametrize(
    ("answer", "trouble"), [(answers[0], kind) for kind, answers in TROUBLE.items()], ids=label
)


@rows
def test_trouble_with_a_customers_key_is_raised_and_never_a_verdict(
    canned: CannedAws, canned_aws: AwsProvider, answer: Answer, trouble: type[Trouble]
):
    canned.will_answer("GetCallerIdentity", answer)
    with pytest.raises(trouble):
        canned_aws.validate(KEY, EXPECTED)
    assert canned.actions() == ["GetCallerIdentity"]


@rows
def test_trouble_with_assuming_a_role_is_raised_and_never_a_verdict(
    canned: CannedAws, canned_aws: AwsProvider, answer: Answer, trouble: type[Trouble]
):
    canned.will_answer("AssumeRole", answer)
    with pytest.raises(trouble):
        canned_aws.validate(ROLE, EXPECTED)
    assert canned.actions() == ["AssumeRole"]


@one_of_each
def test_trouble_with_the_trust_probe_never_counts_as_a_refusal(
    canned: CannedAws, canned_aws: AwsProvider, answer: Answer, trouble: type[Trouble]
):
    canned.will_answer("AssumeRole", canned.assumed(), error("AccessDenied", 403), answer)
    with pytest.raises(trouble):
        canned_aws.validate(ROLE, EXPECTED)


@one_of_each
def test_trouble_with_a_permission_probe_never_counts_as_a_missing_permission(
    canned: CannedAws, canned_aws: AwsProvider, answer: Answer, trouble: type[Trouble]
):
    canned.will_answer("GetAccountSummary", answer)
    with pytest.raises(trouble):
        canned_aws.validate(KEY, EXPECTED)


@pytest.mark.parametrize(("answer", "code"), REFUSED, ids=label)
def test_an_answer_about_the_customers_key_is_a_verdict(
    canned: CannedAws, canned_aws: AwsProvider, answer: Answer, code: str
):
    canned.will_answer("GetCallerIdentity", answer)
    verdict = canned_aws.validate(KEY, EXPECTED)
    assert (verdict.outcome, finding(verdict)) == (Outcome.REFUSED, ("identify", code))
    assert all(problem.message and problem.remedy for problem in verdict.problems)


@pytest.mark.parametrize("code", OURS)
def test_the_same_answer_about_our_own_key_never_blames_the_customer(
    canned: CannedAws, canned_aws: AwsProvider, code: str
):
    canned.will_answer("AssumeRole", error(code, 403))
    with pytest.raises(PlatformConfig, match=code):
        canned_aws.validate(ROLE, EXPECTED)


def test_a_malformed_role_arn_that_only_aws_notices_is_a_verdict(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("AssumeRole", error("ValidationError", 400))
    assert finding(canned_aws.validate(ROLE, EXPECTED)) == ("identify", "invalid_input")


@pytest.mark.parametrize("code", ["AuthFailure", "UnrecognizedClientException", "InvalidClientTokenId"])
def test_a_proved_key_that_one_region_does_not_know_is_our_choice_of_region(
    canned: CannedAws, canned_aws: AwsProvider, code: str
):
    canned.will_answer("DescribeRegions", error(code, 401))
    with pytest.raises(PlatformConfig):
        canned_aws.validate(KEY, EXPECTED)


@pytest.mark.parametrize(
    ("header", "seconds"), [("17", 17.0), ("86400", 300.0), (LONG_AGO, None), ("soon", None), ("", None)]
)
def test_retry_after_is_kept_within_reason(
    canned: CannedAws, canned_aws: AwsProvider, header: str, seconds: float | None
):
    canned.will_answer("AssumeRole", error("SlowDown", 503, Retry_After=header))
    with pytest.raises(Throttled) as raised:
        canned_aws.validate(ROLE, EXPECTED)
    assert raised.value.retry_after == seconds


def test_a_wrong_secret_stays_one_when_the_clocks_differ_by_minutes_that_aws_allows(
    canned: CannedAws, canned_aws: AwsProvider
):
    canned.will_answer("GetCallerIdentity", error("SignatureDoesNotMatch", 403, Date="not a date"))
    assert finding(canned_aws.validate(KEY, EXPECTED)) == ("identify", "wrong_secret")


def test_bytes_that_are_no_text_are_unavailable(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("DescribeTrails", Answer(200, "\udcff\udcfe"))
    with pytest.raises(Unavailable):
        canned_aws.validate(KEY, EXPECTED)


def test_a_refused_connection_is_unavailable():
    with pytest.raises(Unavailable):
        canned_provider(f"http://127.0.0.1:{free_port()}").validate(ROLE, EXPECTED)


def test_an_answer_that_takes_too_long_is_unavailable(canned: CannedAws):
    released = Event()
    canned.will_answer("AssumeRole", Answer(delay=released))
    with pytest.raises(Unavailable):
        canned_provider(canned.url, read_seconds=0.2).validate(ROLE, EXPECTED)
    released.set()


def test_an_untrusted_certificate_is_our_configuration(tmp_path: Path):
    with running_canned_aws(self_signed_certificate(tmp_path)) as aws, pytest.raises(PlatformConfig, match="tls"):
        canned_provider(aws.url).validate(ROLE, EXPECTED)


def test_missing_credentials_of_our_own_are_our_configuration(canned: CannedAws):
    nobody = boto3.session.Session(botocore_session=isolated_session(Loader()))
    platform = PlatformAws(PLATFORM_ACCOUNT, PLATFORM_ROLE, REGION, canned.url)
    with pytest.raises(PlatformConfig):
        AwsProvider(platform, own=nobody).validate(ROLE, EXPECTED)


def test_a_call_is_made_once_because_the_workflow_owns_retries(canned: CannedAws, canned_aws: AwsProvider):
    canned.will_answer("AssumeRole", *[error("Throttling", 400)] * 3)
    with pytest.raises(Throttled):
        canned_aws.validate(ROLE, EXPECTED)
    assert len(canned.requests) == 1
