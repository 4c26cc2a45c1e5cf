"""The official SDK against the stand-in of OCI: what it accepts or refuses, our client does too."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from domain.errors import ClockSkew
from domain.onboarding.credentials import Credential
from emulators.clouds.oci import made_ocid, pem
from emulators.clouds.server import ADDRESS, StandIn, running_stand_in
from providers.oci.permissions import PROBES
from providers.oci.regions import REGIONS, host
from tests.providers.oci_rig import OciRig, made_key
from tests.providers.stand_in_rig import EXPECTED, last_checked

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the SDK's own making
]

oci_sdk = pytest.importorskip("oci")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("oci"), []) as stand_in:
        yield stand_in


@pytest.fixture
def oci(server: StandIn) -> Iterator[OciRig]:
    with OciRig(server) as rig:
        yield rig


def sdk_client(kind: str, rig: OciRig, credential: Credential, **options: Any) -> Any:
    package, name = kind.rsplit(".", 1)
    config = {
        "user": credential.reveal("user_ocid"),
        "tenancy": credential.reveal("tenancy_ocid"),
        "fingerprint": credential.reveal("fingerprint"),
        "key_content": credential.reveal("private_key"),
        "pass_phrase": credential.reveal("pass_phrase") or None,
        "region": credential.reveal("region"),
    }
    client = getattr(getattr(oci_sdk, package), name)(
        config,
        **{"service_endpoint": f"https://{ADDRESS}:{rig.stand_in.port}", **options},
        retry_strategy=oci_sdk.retry.NoneRetryStrategy(),
        timeout=(2, 5),
    )
    client.base_client.session.verify = rig.stand_in.ca_file
    return client


def sdk_status(call: Callable[[], Any]) -> int:
    """The status that the SDK tells; 0 when it does not even call."""
    try:
        return int(call().status)
    except oci_sdk.exceptions.ServiceError as error:
        return int(error.status)
    except (ValueError, oci_sdk.exceptions.ClientError):
        return 0


def sdk_accepts(rig: OciRig, credential: Credential) -> bool:
    def call() -> Any:
        client = sdk_client("identity.IdentityClient", rig, credential)
        return client.get_user(credential.reveal("user_ocid"))

    return sdk_status(call) == 200


# The same keys

VECTORS: dict[str, tuple[Callable[[OciRig], Mapping[str, object]], bool]] = {
    "good": (lambda rig: {}, True),
    "encrypted": (
        lambda rig: {"private_key": pem(made_key(), "correct horse"), "pass_phrase": "correct horse"},
        True,
    ),
    "traditional": (lambda rig: {"private_key": pem(made_key(), traditional=True)}, True),
    "wrong pass phrase": (
        lambda rig: {"private_key": pem(made_key(), "correct horse"), "pass_phrase": "wrong horse"},
        False,
    ),
    "other key": (lambda rig: {"private_key": pem(made_key("other"))}, False),
    "one flipped digit of the fingerprint": (lambda rig: {"fingerprint": flipped(rig)}, False),
    "other user": (lambda rig: {"user_ocid": made_ocid("user")}, False),
    "other tenancy": (lambda rig: {"tenancy_ocid": made_ocid("tenancy")}, False),
    "removed key": (lambda rig: removed(rig), False),
}


def removed(rig: OciRig) -> Mapping[str, object]:
    rig.cloud.user.keys.clear()
    return {}


def flipped(rig: OciRig) -> str:
    fingerprint = str(rig.cloud.demo_credential()["fingerprint"])
    return ("0" if fingerprint[0] != "0" else "1") + fingerprint[1:]


@pytest.mark.parametrize("name", VECTORS)
def test_the_sdk_and_our_client_agree_about_a_key(oci: OciRig, name: str):
    changed, accepted = VECTORS[name]
    submitted = oci.submitted(**changed(oci))
    assert sdk_accepts(oci, submitted) is accepted
    assert oci.provider.validate(submitted, EXPECTED).accepted is accepted


@pytest.mark.parametrize("offset", [-3600, 3600])
def test_with_a_wrong_clock_neither_is_let_in(oci: OciRig, offset: int):
    oci.stand_in.clock_offset = offset
    assert not sdk_accepts(oci, oci.submitted())
    with pytest.raises(ClockSkew):
        oci.validate()


# The same calls

Call = tuple[str, Callable[[Any, OciRig], Any]]


def root(method: str, **more: Any) -> Callable[[Any, OciRig], Any]:
    return lambda client, rig: getattr(client, method)(compartment_id=rig.cloud.tenancy, **more)


NOW = datetime.now(UTC).replace(second=0, microsecond=0)
IDENTITY, NETWORK = "identity.IdentityClient", "core.VirtualNetworkClient"
CALLS: dict[str, Call] = {
    "TENANCY_INSPECT": (IDENTITY, lambda client, rig: client.get_tenancy(rig.cloud.tenancy)),
    "COMPARTMENT_INSPECT": (IDENTITY, root("list_compartments")),
    "USER_INSPECT": (IDENTITY, root("list_users")),
    "GROUP_INSPECT": (IDENTITY, root("list_groups")),
    "POLICY_READ": (IDENTITY, root("list_policies")),
    "AUTHENTICATION_POLICY_INSPECT": (IDENTITY, root("get_authentication_policy")),
    "DYNAMIC_GROUP_INSPECT": (IDENTITY, root("list_dynamic_groups")),
    "VCN_READ": (NETWORK, root("list_vcns")),
    "SECURITY_LIST_READ": (NETWORK, root("list_security_lists")),
    "NETWORK_SECURITY_GROUP_READ": (NETWORK, root("list_network_security_groups")),
    "INSTANCE_READ": ("core.ComputeClient", root("list_instances")),
    "VOLUME_INSPECT": ("core.BlockstorageClient", root("list_volumes")),
    "LOAD_BALANCER_INSPECT": ("load_balancer.LoadBalancerClient", root("list_load_balancers")),
    "BUCKET_INSPECT": (
        "object_storage.ObjectStorageClient",
        lambda client, rig: client.list_buckets(client.get_namespace().data, rig.cloud.tenancy),
    ),
    "AUTONOMOUS_DATABASE_INSPECT": ("database.DatabaseClient", root("list_autonomous_databases")),
    "DB_SYSTEM_INSPECT": ("database.DatabaseClient", root("list_db_systems")),
    "EVENTRULE_LIST": ("events.EventsClient", root("list_rules")),
    "LOG_GROUP_INSPECT": ("logging.LoggingManagementClient", root("list_log_groups")),
    "VAULT_INSPECT": ("key_management.KmsVaultClient", root("list_vaults")),
    "AUDIT_EVENT_READ": (
        "audit.AuditClient",
        root("list_events", start_time=NOW - timedelta(minutes=1), end_time=NOW),
    ),
}


def test_the_sdk_tries_every_permission_that_we_can_try():
    assert set(CALLS) == set(PROBES)


@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_and_our_client_agree_about_a_permission(oci: OciRig, name: str):
    kind, call = CALLS[name]
    client = sdk_client(kind, oci, oci.submitted())
    assert sdk_status(lambda: call(client, oci)) == 200
    oci.cloud.granted.remove(name)
    assert sdk_status(lambda: call(client, oci)) == 404
    assert last_checked(oci.validate()).missing_permissions == (name,)


@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_calls_the_same_paths_as_our_client(oci: OciRig, name: str):
    kind, call = CALLS[name]
    oci.validate()
    ours = {line.partition("/")[2].rstrip("/") for line in oci.stand_in.log}
    oci.stand_in.log.clear()
    call(sdk_client(kind, oci, oci.submitted()), oci)
    assert {line.partition("/")[2].rstrip("/") for line in oci.stand_in.log} <= ours


# The same names


def test_our_regions_and_realms_are_those_of_the_sdk():
    known = oci_sdk.regions_definitions
    assert {region: realm.name for region, realm in REGIONS.items()} == known.REGION_REALMS
    assert {realm.name: realm.domain for realm in REGIONS.values()} == known.REALMS


@pytest.mark.parametrize("region", ["eu-frankfurt-1", "us-gov-phoenix-1", "eu-madrid-2"])
@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_goes_to_the_same_host(oci: OciRig, name: str, region: str):
    credential = oci.submitted(region=region)
    client = sdk_client(CALLS[name][0], oci, credential, service_endpoint=None)
    # What stands in braces is for its option of IPv6.
    endpoint = re.sub(r"\{[^}]*\}", "", client.base_client.endpoint)
    assert urlsplit(endpoint).hostname == host(PROBES[name].service, region)
