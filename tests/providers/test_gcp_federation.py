"""The way into a project without a key: our token, the customer's pool, the loan of a service account, and the proof
that the pool is for this account of ours only."""

from collections.abc import Callable, Iterator

import pytest

from domain.errors import ClockSkew, PlatformConfig, Propagating, Throttled, Trouble, Unavailable
from domain.onboarding.validation import Expectation, Outcome, StepStatus
from emulators.clouds.faults import GARBAGE, HUGE, Fault
from emulators.clouds.gcp import READ_ONLY
from emulators.clouds.server import StandIn, running_stand_in
from providers.gcp.description import WORKLOAD_IDENTITY
from providers.gcp.provider import GcpProvider
from tests.fakes_identity import FakeIdentity, made_key
from tests.providers.gcp_rig import EXCHANGE, LOAN, GcpRig
from tests.providers.hostile import ELSEWHERE, watch
from tests.providers.stand_in_rig import EXPECTED, EXTERNAL_ID, JUST_MADE, QUICK, everything_of

TENANT_B = Expectation("te-00000000000000000000000000000000")
"""Another account of the platform."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


@pytest.fixture
def gcp(server: StandIn) -> Iterator[GcpRig]:
    with GcpRig(server) as rig:
        yield rig


def found(gcp: GcpRig, expectation: Expectation = EXPECTED, **changed: object) -> tuple[str, str]:
    return gcp.finding(gcp.keyless(**changed), expectation)


# A good pool


def test_a_pool_with_every_permission_makes_an_active_account(gcp: GcpRig):
    verdict = gcp.validate(gcp.keyless())
    assert (verdict.outcome, verdict.problems) == (Outcome.ACTIVE, ())
    assert [step.name for step in verdict.steps] == ["shape", "identify", "trust", "ownership", "permissions"]
    assert verdict.account_number == gcp.cloud.project.project_id
    assert verdict.identity == f"serviceAccount:{gcp.cloud.account.email}"


def test_a_validation_is_five_calls(gcp: GcpRig):
    gcp.validate(gcp.keyless())
    hosts = [call.split("/")[0].split(".")[0] for call in gcp.calls()]
    projects = ["GET cloudresourcemanager", "POST cloudresourcemanager"]
    assert hosts == ["POST sts", "POST iamcredentials", "POST sts", *projects]


def test_the_token_that_is_lent_can_only_read_and_lives_a_quarter_of_an_hour(gcp: GcpRig):
    gcp.validate(gcp.keyless())
    [lent] = [token for token in gcp.cloud.tokens.values() if token.principal == gcp.cloud.account.email]
    [pooled] = [token for token in gcp.cloud.tokens.values() if token.principal != gcp.cloud.account.email]
    assert lent.scopes == {READ_ONLY}
    assert lent.expires < pooled.expires - 2000


def test_the_pool_and_the_account_may_be_in_another_project(gcp: GcpRig):
    gcp.cloud.pool.project_number = "999999999999"
    gcp.cloud.lends[gcp.cloud.account.email] = {gcp.cloud.pool.principal(EXTERNAL_ID)}
    assert gcp.validate(gcp.keyless(project_number="999999999999")).outcome is Outcome.ACTIVE


def test_our_own_external_id_may_be_submitted_and_no_other(gcp: GcpRig):
    assert gcp.validate(gcp.keyless(external_id=EXTERNAL_ID)).accepted
    assert found(gcp, external_id="te-of-somebody-else") == ("shape", "external_id_mismatch")


# Who may come this way


def test_we_never_speak_for_another_subject_than_the_accounts_own_or_nobody(gcp: GcpRig):
    gcp.validate(gcp.keyless())
    own, probe = gcp.identity.subjects
    assert own == EXTERNAL_ID
    assert probe.startswith("te-probe-")
    gcp.identity.subjects.clear()
    gcp.validate(gcp.keyless())
    assert gcp.identity.subjects[1] != probe


def test_another_account_of_the_platform_cannot_use_the_pool(gcp: GcpRig):
    assert found(gcp, TENANT_B) == ("identify", "subject_refused")
    assert found(gcp, TENANT_B, external_id=EXTERNAL_ID) == ("shape", "external_id_mismatch")


def test_a_pool_and_an_account_for_everyone_of_the_platform_are_unsafe(gcp: GcpRig):
    gcp.cloud.provider.only_subject = None
    gcp.cloud.lends[gcp.cloud.account.email] = {gcp.cloud.pool.everyone}
    verdict = gcp.validate(gcp.keyless())
    assert (verdict.outcome, verdict.steps[2].code) == (Outcome.REFUSED, "unsafe_trust")
    assert "assertion.sub" in (verdict.steps[2].remedy or "")
    assert [step.status for step in verdict.steps[3:]] == [StepStatus.SKIPPED] * 2


def test_a_pool_for_everyone_whose_account_is_for_us_only_is_a_warning(gcp: GcpRig):
    gcp.cloud.provider.only_subject = None
    verdict = gcp.validate(gcp.keyless())
    assert (verdict.outcome, verdict.steps[2].status) == (Outcome.ACTIVE, StepStatus.WARNED)
    assert verdict.steps[2].code == "open_pool"
    assert found(gcp, TENANT_B) == ("identify", "impersonation_denied")


def test_an_account_for_the_whole_pool_is_safe_when_the_pool_is_for_us_only(gcp: GcpRig):
    gcp.cloud.lends[gcp.cloud.account.email] = {gcp.cloud.pool.everyone}
    assert gcp.validate(gcp.keyless()).steps[2].status is StepStatus.PASSED


REFUSED_FOR_ANOTHER_REASON = {
    "provider gone": {"status": 400, "body": {"error": "invalid_target"}},
    "policy": {"status": 403, "body": {"error": {"status": "PERMISSION_DENIED", "details": [{"reason": "X"}]}}},
    "garbage": {"status": 200, "body": GARBAGE},
}


@pytest.mark.parametrize("name", REFUSED_FOR_ANOTHER_REASON)
def test_a_probe_that_fails_for_another_reason_proves_nothing(gcp: GcpRig, name: str):
    spoil_the_probe(gcp, Fault(EXCHANGE, **REFUSED_FOR_ANOTHER_REASON[name]))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        gcp.validate(gcp.keyless())


def test_a_loan_that_fails_for_another_reason_proves_nothing(gcp: GcpRig):
    gcp.cloud.provider.only_subject = None
    disabled = {"error": {"status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}
    spoil_the_probe(gcp, Fault(LOAN, status=403, body=disabled))
    with pytest.raises(Unavailable):
        gcp.validate(gcp.keyless())


def spoil_the_probe(gcp: GcpRig, fault: Fault) -> None:
    """The first call gets through; the fault comes with the token of another subject."""
    gcp.identity.before = lambda subject: gcp.stand_in.faults.add(*((fault,) if subject != EXTERNAL_ID else ()))


# What Google refuses


def other_issuer(gcp: GcpRig) -> None:
    gcp.cloud.provider.issuer = "https://token.actions.githubusercontent.com"


def other_audience(gcp: GcpRig) -> None:
    gcp.cloud.provider.allowed_audiences = ["https://example.com"]


def other_key(gcp: GcpRig) -> None:
    gcp.cloud.provider.fetch_keys = FakeIdentity(key=made_key("other")).published


def disabled_provider(gcp: GcpRig) -> None:
    gcp.cloud.provider.enabled = False


def disabled_pool(gcp: GcpRig) -> None:
    gcp.cloud.pool.enabled = False


def other_condition(gcp: GcpRig) -> None:
    gcp.cloud.provider.only_subject = "te-another"


def not_lent(gcp: GcpRig) -> None:
    gcp.cloud.lends.clear()


def disabled_account(gcp: GcpRig) -> None:
    gcp.cloud.account.enabled = False


def no_service(gcp: GcpRig) -> None:
    gcp.cloud.disabled_services.add("iamcredentials.googleapis.com")


def no_exchange(gcp: GcpRig) -> None:
    gcp.cloud.disabled_services.add("sts.googleapis.com")


REFUSALS: dict[Callable[[GcpRig], None], str] = {
    other_issuer: "identity_token_refused",
    other_audience: "identity_token_refused",
    other_key: "identity_token_refused",
    disabled_provider: "unknown_identity_provider",
    disabled_pool: "unknown_identity_provider",
    other_condition: "subject_refused",
    not_lent: "impersonation_denied",
    disabled_account: "impersonation_denied",
    no_service: "api_disabled",
    no_exchange: "api_disabled",
}


@pytest.mark.parametrize("change", REFUSALS, ids=lambda change: change.__name__)
def test_what_is_wrong_with_the_way_is_told_apart(gcp: GcpRig, change: Callable[[GcpRig], None]):
    change(gcp)
    assert found(gcp) == ("identify", REFUSALS[change])
    with pytest.raises(Propagating):
        gcp.validate(gcp.keyless(), JUST_MADE)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("project_number", "999999999999", "unknown_identity_provider"),
        ("pool_id", "another-pool", "unknown_identity_provider"),
        ("provider_id", "another-provider", "unknown_identity_provider"),
        ("service_account_email", "other@demo-project-1.iam.gserviceaccount.com", "impersonation_denied"),
    ],
)
def test_what_there_is_not_is_told_apart(gcp: GcpRig, name: str, value: str, code: str):
    assert gcp.finding(gcp.keyless(**{name: value})) == ("identify", code)


def test_another_project_than_the_account_may_see_is_refused(gcp: GcpRig):
    assert found(gcp, project_id="nobodys-project-1") == ("ownership", "no_access")


def test_another_project_than_before_is_refused(gcp: GcpRig):
    assert found(gcp, Expectation(EXTERNAL_ID, "another-project-1")) == ("ownership", "account_changed")


def test_permissions_are_asked_for_alike(gcp: GcpRig):
    gcp.cloud.project.granted[gcp.cloud.account.email] = {"resourcemanager.projects.get"}
    assert found(gcp) == ("permissions", "limited_permissions")


# Trouble that is not the customer's

RETRY = {"Retry-After": "7"}
FAULTS: dict[str, tuple[Fault, type[Trouble]]] = {
    f"{name} {kind}": (Fault(place, **fault), trouble)  # type: ignore[arg-type]
    for name, place in {"exchange": EXCHANGE, "loan": LOAN}.items()
    for kind, (fault, trouble) in {
        "throttled": ({"status": 429, "headers": RETRY}, Throttled),
        "503": ({"status": 503, "body": GARBAGE}, Unavailable),
        "500 with a code": ({"status": 500, "body": {"error": "invalid_grant"}}, Unavailable),
        "cut": ({"cut": True}, Unavailable),
        "garbage": ({"status": 200, "body": GARBAGE}, Unavailable),
        "huge": ({"status": 200, "body": HUGE}, Unavailable),
        "empty": ({"status": 200, "body": {}}, Unavailable),
        "no token": ({"status": 200, "body": {"access_token": "a\r\nb", "accessToken": "a b"}}, Unavailable),
        "late": ({"status": 200, "delay_seconds": 1.2}, Unavailable),
        "redirected": ({"status": 302, "headers": {"Location": "https://attacker.example/"}}, Unavailable),
        "proxy denies": ({"status": 403, "body": GARBAGE}, PlatformConfig),
        "refused as a request": ({"status": 400, "body": {"error": "invalid_request"}}, PlatformConfig),
    }.items()
}


@pytest.mark.parametrize("name", FAULTS)
def test_trouble_is_raised_and_never_a_verdict(server: StandIn, name: str):
    fault, trouble = FAULTS[name]
    with GcpRig(server, bounds=QUICK) as rig:
        server.faults.add(fault)
        with pytest.raises(trouble) as raised:
            rig.validate(rig.keyless())
        assert "ya29" not in everything_of(raised.value)
    assert raised.value.retry_after == (7 if fault.headers == RETRY else None)


@pytest.mark.parametrize("offset", [-7200, 7200], ids=["slow", "fast"])
def test_a_wrong_clock_of_ours_is_not_blamed_on_the_pool(gcp: GcpRig, offset: int):
    gcp.stand_in.clock_offset = offset
    with pytest.raises(ClockSkew):
        gcp.validate(gcp.keyless())


@pytest.mark.parametrize("offset", [-240, 240], ids=["slow", "fast"])
def test_a_clock_that_is_some_minutes_off_is_good_enough(gcp: GcpRig, offset: int):
    gcp.stand_in.clock_offset = offset
    assert gcp.validate(gcp.keyless()).accepted


def test_a_signing_key_that_does_not_answer_is_our_trouble(gcp: GcpRig):
    def throttled(_: str) -> None:
        raise Throttled(retry_after=7)

    gcp.identity.before = throttled
    with pytest.raises(Throttled):
        gcp.validate(gcp.keyless())
    assert gcp.calls() == []


def test_without_our_issuer_an_account_that_was_made_with_it_is_our_trouble(gcp: GcpRig):
    with pytest.raises(PlatformConfig) as raised:
        GcpProvider(gcp.client).validate(gcp.keyless(), EXPECTED)
    assert "IDENTITY_ISSUER_URL" in raised.value.message


# Where hostile fields lead


HOSTILE = [
    (name, value)
    for name in WORKLOAD_IDENTITY.requires
    for value in ELSEWHERE
    if not (value.isdigit() and value.isascii() and name in ("project_number", "pool_id", "provider_id"))
]


@pytest.mark.parametrize(("name", "value"), HOSTILE, ids=ascii)
def test_a_hostile_field_reaches_nothing(gcp: GcpRig, name: str, value: str):
    credential = gcp.keyless(**{name: value})
    with watch() as reached:
        verdict = gcp.validate(credential)
        assert reached == []
    assert (verdict.outcome, verdict.steps[0].code) == (Outcome.REFUSED, "malformed")
    assert (gcp.names.asked, gcp.calls(), gcp.identity.subjects) == ([], [], [])
    assert value not in repr(verdict)


def test_no_token_is_in_a_verdict(gcp: GcpRig):
    shown = repr(gcp.validate(gcp.keyless()))
    assert "ya29" not in shown
    assert "eyJ" not in shown
