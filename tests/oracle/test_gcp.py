"""The official library against the stand-in of Google Cloud: what it accepts or refuses, our client does too."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from domain.errors import ClockSkew, Trouble
from domain.onboarding.validation import Expectation
from emulators.clouds.faults import Fault
from emulators.clouds.gcp import EVERYTHING
from emulators.clouds.gcp_tokens import pem_of
from emulators.clouds.server import ADDRESS, StandIn, running_stand_in
from tests.fakes_identity import FakeIdentity
from tests.fakes_identity import made_key as made_identity_key
from tests.providers.gcp_rig import TOKEN, GcpRig, made_key
from tests.providers.stand_in_rig import EXTERNAL_ID, credential

pytestmark = pytest.mark.oracle

requests = pytest.importorskip("requests")
urllib3 = pytest.importorskip("urllib3")
service_account = pytest.importorskip("google.oauth2.service_account")
transport = pytest.importorskip("google.auth.transport.requests")
exceptions = pytest.importorskip("google.auth.exceptions")

PROJECTS = "https://cloudresourcemanager.googleapis.com/v3/projects"


class Leading(requests.adapters.HTTPAdapter):  # type: ignore[misc, name-defined]
    """Every name leads to the stand-in; addresses and certificates stay Google's own."""

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__()
        self._stand_in = stand_in

    def send(self, request: Any, **_: object) -> Any:
        parts = urlsplit(request.url)
        with urllib3.HTTPSConnectionPool(
            ADDRESS,
            self._stand_in.port,
            ca_certs=self._stand_in.ca_file,
            cert_reqs="CERT_REQUIRED",
            server_hostname=parts.hostname,
            assert_hostname=parts.hostname,
            retries=False,
        ) as pool:
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            headers = {**request.headers, "Host": parts.hostname}
            answer = pool.urlopen(request.method, target, body=request.body, headers=headers, preload_content=False)
            response = self.build_response(request, answer)
            assert response.content is not None  # is read while the connection is there
            return response


class Sdk:
    """google-auth's own way from a credential to an authorised session."""

    def __init__(self, stand_in: StandIn) -> None:
        self._session = requests.Session()
        self._session.mount("https://", Leading(stand_in))
        self._stand_in = stand_in

    def session(self, credentials: Any) -> Any:
        """Raises GoogleAuthError when there is no token."""
        credentials.refresh(transport.Request(self._session))
        session = transport.AuthorizedSession(credentials, auth_request=transport.Request(self._session))
        session.mount("https://", Leading(self._stand_in))
        return session

    def accepts(self, credentials: Any, project_id: str) -> bool:
        try:
            session = self.session(credentials)
        except exceptions.GoogleAuthError:
            return False
        with session:
            return bool(session.get(f"{PROJECTS}/{project_id}").status_code == 200)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("gcp"), []) as stand_in:
        yield stand_in


@pytest.fixture
def gcp(server: StandIn) -> Iterator[GcpRig]:
    with GcpRig(server) as rig:
        yield rig


# A key


def of_file(file: dict[str, object]) -> Any:
    return service_account.Credentials.from_service_account_info(file, scopes=[EVERYTHING])


def nothing(gcp: GcpRig) -> dict[str, object]:
    return {}


def deleted(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.account.keys.clear()
    return {}


def disabled(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.account.enabled = False
    return {}


def roleless(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.project.granted.clear()
    return {}


def barred(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.barred.add(gcp.cloud.account.email)
    return {}


def closed(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.disabled_services.add("cloudresourcemanager.googleapis.com")
    return {}


def flipped(gcp: GcpRig) -> dict[str, object]:
    """Another key that differs from the right one in one byte of the registered public key."""
    numbers = made_key().public_key().public_numbers()
    changed = type(numbers)(numbers.e, numbers.n ^ (1 << 512))
    gcp.cloud.account.keys[gcp.cloud.key_id] = changed.public_key()
    return {}


VECTORS: dict[str, tuple[Callable[[GcpRig], dict[str, object]], bool]] = {
    "good": (nothing, True),
    "another universe's addresses": (lambda _: {"auth_uri": "https://attacker.example"}, True),
    "other key": (lambda _: {"private_key": pem_of(made_key("other"))}, False),
    "one flipped bit": (flipped, False),
    "other key id": (lambda _: {"private_key_id": "0" * 40}, False),
    "other account": (lambda _: {"client_email": "other@demo-project-1.iam.gserviceaccount.com"}, False),
    "deleted key": (deleted, False),
    "disabled account": (disabled, False),
    "no role": (roleless, False),
    "kept out by a policy": (barred, False),
    "disabled service": (closed, False),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_library_and_our_client_agree_about_a_key(gcp: GcpRig, name: str):
    change, accepted = VECTORS[name]
    changed: dict[str, Any] = change(gcp)
    sdk = of_file(gcp.cloud.key_file(**changed))
    assert Sdk(gcp.stand_in).accepts(sdk, gcp.cloud.project.project_id) is accepted
    assert gcp.validate(gcp.submitted(**changed)).accepted is accepted


@pytest.mark.parametrize("offset", [-7200, 7200], ids=["slow", "fast"])
def test_neither_gets_a_token_with_a_wrong_clock(gcp: GcpRig, offset: int):
    gcp.stand_in.clock_offset = offset
    assert not Sdk(gcp.stand_in).accepts(of_file(gcp.cloud.key_file()), gcp.cloud.project.project_id)
    with pytest.raises(ClockSkew):
        gcp.validate()


def test_an_outage_that_the_library_takes_for_a_refusal_is_trouble_to_us(gcp: GcpRig):
    gcp.stand_in.faults.add(Fault(TOKEN, status=503, times=3))
    with pytest.raises(exceptions.RefreshError):
        Sdk(gcp.stand_in).session(of_file(gcp.cloud.key_file()))
    gcp.stand_in.faults.add(Fault(TOKEN, status=503))
    with pytest.raises(Trouble):
        gcp.validate()


def test_the_library_is_told_the_same_permissions(gcp: GcpRig):
    gcp.cloud.project.granted[gcp.cloud.account.email] = {"resourcemanager.projects.get", "compute.instances.list"}
    wanted = {"permissions": ["compute.instances.list", "iam.roles.list"]}
    with Sdk(gcp.stand_in).session(of_file(gcp.cloud.key_file())) as session:
        url = f"{PROJECTS}/{gcp.cloud.project.project_id}:testIamPermissions"
        assert session.post(url, json=wanted).json() == {"permissions": ["compute.instances.list"]}
    missing = gcp.validate().steps[-1].missing_permissions
    assert "iam.roles.list" in missing
    assert "compute.instances.list" not in missing


def test_our_assertion_says_what_the_librarys_says(gcp: GcpRig):
    Sdk(gcp.stand_in).session(of_file(gcp.cloud.key_file())).close()
    gcp.validate()
    jwt = pytest.importorskip("jwt")
    theirs, ours = (
        jwt.decode(
            form["assertion"],
            made_key().public_key(),
            algorithms=["RS256"],
            audience="https://oauth2.googleapis.com/token",
        )
        for form in gcp.cloud.forms
    )
    assert (ours["iss"], ours["aud"]) == (theirs["iss"], theirs["aud"])
    assert json.dumps(ours["scope"]).strip('"') == f"{theirs['scope']}.read-only"


# A pool

identity_pool = pytest.importorskip("google.auth.identity_pool")


class Supplier(identity_pool.SubjectTokenSupplier):  # type: ignore[misc, name-defined]
    """Our token, with which the library goes the same way."""

    def __init__(self, gcp: GcpRig, subject: str) -> None:
        self._identity = gcp.identity
        self._subject = subject

    def get_subject_token(self, context: Any, request: Any) -> str:
        return self._identity.token(self._subject, context.audience)


def of_pool(gcp: GcpRig, fields: Mapping[str, object], subject: str) -> Any:
    pool = f"projects/{fields['project_number']}/locations/global/workloadIdentityPools/{fields['pool_id']}"
    account = f"projects/-/serviceAccounts/{fields['service_account_email']}:generateAccessToken"
    return identity_pool.Credentials(
        audience=f"//iam.googleapis.com/{pool}/providers/{fields['provider_id']}",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url="https://sts.googleapis.com/v1/token",
        subject_token_supplier=Supplier(gcp, subject),
        service_account_impersonation_url=f"https://iamcredentials.googleapis.com/v1/{account}",
        scopes=[EVERYTHING],
    )


def other_key(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.provider.fetch_keys = FakeIdentity(key=made_identity_key("other")).published
    return {}


def other_issuer(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.provider.issuer = "https://token.actions.githubusercontent.com"
    return {}


def other_audience(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.provider.allowed_audiences = ["https://example.com"]
    return {}


def not_lent(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.lends.clear()
    return {}


def closed_loan(gcp: GcpRig) -> dict[str, object]:
    gcp.cloud.disabled_services.add("iamcredentials.googleapis.com")
    return {}


POOL_VECTORS: dict[str, tuple[Callable[[GcpRig], dict[str, object]], bool]] = {
    "good": (nothing, True),
    "other pool": (lambda _: {"pool_id": "another-pool"}, False),
    "other provider": (lambda _: {"provider_id": "another-provider"}, False),
    "other project": (lambda _: {"project_number": "999999999999"}, False),
    "other account": (lambda _: {"service_account_email": "other@demo-project-1.iam.gserviceaccount.com"}, False),
    "other key": (other_key, False),
    "other issuer": (other_issuer, False),
    "other audience": (other_audience, False),
    "not lent": (not_lent, False),
    "disabled account": (disabled, False),
    "no role": (roleless, False),
    "disabled service": (closed_loan, False),
}


@pytest.mark.parametrize("name", POOL_VECTORS)
def test_the_library_and_our_client_agree_about_a_pool(gcp: GcpRig, name: str):
    change, accepted = POOL_VECTORS[name]
    fields = gcp.cloud.keyless_credential() | change(gcp)
    sdk = of_pool(gcp, fields, EXTERNAL_ID)
    assert Sdk(gcp.stand_in).accepts(sdk, gcp.cloud.project.project_id) is accepted
    assert gcp.validate(credential("gcp_workload_identity", fields)).accepted is accepted


@pytest.mark.parametrize("subject", ["te-another", EXTERNAL_ID[:-1], EXTERNAL_ID.upper()])
def test_neither_comes_in_as_another_subject(gcp: GcpRig, subject: str):
    fields = gcp.cloud.keyless_credential()
    assert not Sdk(gcp.stand_in).accepts(of_pool(gcp, fields, subject), gcp.cloud.project.project_id)
    assert not gcp.validate(gcp.keyless(), Expectation(subject)).accepted


@pytest.mark.parametrize("offset", [-7200, 7200], ids=["slow", "fast"])
def test_neither_comes_in_with_a_token_of_another_hour(gcp: GcpRig, offset: int):
    gcp.stand_in.clock_offset = offset
    sdk = of_pool(gcp, gcp.cloud.keyless_credential(), EXTERNAL_ID)
    assert not Sdk(gcp.stand_in).accepts(sdk, gcp.cloud.project.project_id)
    with pytest.raises(ClockSkew):
        gcp.validate(gcp.keyless())


def test_our_exchange_asks_for_what_the_librarys_asks_for(gcp: GcpRig):
    Sdk(gcp.stand_in).session(of_pool(gcp, gcp.cloud.keyless_credential(), EXTERNAL_ID)).close()
    gcp.validate(gcp.keyless())
    theirs, ours = ({**form, "subject_token": ""} for form in gcp.cloud.forms[:2])
    theirs.pop("options", None)
    assert ours == theirs
