"""What the step of permissions says in every cloud: late ones are waited for, needless ones are warned of, an account
that is not active is named as such."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Propagating
from domain.onboarding.catalogue import parse_credential
from domain.onboarding.validation import Expectation, Outcome, Step, Verdict
from domain.ports import CloudProvider
from emulators.clouds.azure import AzureCloud
from emulators.clouds.faults import Fault
from emulators.clouds.gcp import GcpCloud
from emulators.clouds.ibm import IbmCloud
from emulators.clouds.oci import OciCloud
from emulators.clouds.server import StandIn, running_stand_in
from providers.oci.permissions import administers
from tests.clouds.cases import CASES, Case
from tests.providers.aws_accounts import EXTERNAL_ID
from transport.client import GuardedClient

OWNER = {"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with running_stand_in(tmp_path_factory.mktemp("clouds"), []) as found:
        yield found


class Way:
    def __init__(self, provider: CloudProvider, case: Case) -> None:
        self.provider, self.case = provider, case

    def validate(self, *, just_created: bool = False) -> Verdict:
        method = self.provider.description.method(self.case.method)
        expectation = Expectation(EXTERNAL_ID, may_propagate=just_created)
        return self.provider.validate(parse_credential(method, self.case.good), expectation)


@pytest.fixture
def way(request: pytest.FixtureRequest, stand_in: StandIn) -> Iterator[Way]:
    case = CASES[request.param]()
    stand_in.faults.clear()
    stand_in.clouds = [case.cloud]
    with GuardedClient(
        stand_in.backend(), is_allowed=case.is_allowed, ca_file=stand_in.ca_file, keep_alive=True
    ) as client:
        case.prepare(EXTERNAL_ID)
        yield Way(case.make(client), case)


def step_of(verdict: Verdict, code: str) -> Step:
    return next(step for step in verdict.steps if step.code == code)


@pytest.mark.parametrize("way", CASES, indirect=True)
def test_permissions_that_may_still_be_spreading_are_waited_for(way: Way):
    way.case.take_permissions_away()
    with pytest.raises(Propagating) as raised:
        way.validate(just_created=True)
    assert raised.value.retry_after
    # Without what only an engine needs the account is limited, without what we need ourselves it is refused.
    assert way.validate().outcome in (Outcome.ACTIVE_LIMITED, Outcome.REFUSED)
    assert way.provider.description.propagation_seconds in (60, 300)


def as_owner(cloud: AzureCloud) -> None:
    cloud.subscription.roles[cloud.application.object_id] = [OWNER]


def as_project_owner(cloud: GcpCloud) -> None:
    for project in cloud.projects.values():
        for account in project.granted:
            project.granted[account] = {"*"}


def as_account_administrator(cloud: IbmCloud) -> None:
    cloud.policies = [replace(policy, role="Administrator") for policy in cloud.policies]


def as_tenancy_administrator(cloud: OciCloud) -> None:
    cloud.groups = {"ocid1.group.oc1..admins": "Administrators"}
    cloud.statements = ["ALLOW GROUP Administrators to manage all-resources IN TENANCY"]


POWER: Mapping[str, Callable[[Any], None]] = {
    "azure, client secret": as_owner,
    "azure, certificate": as_owner,
    "gcp, service account key": as_project_owner,
    "gcp, workload identity": as_project_owner,
    "alicloud, access key": lambda cloud: cloud.attached.add("AdministratorAccess"),
    "oci, API signing key": as_tenancy_administrator,
    "ibm, API key": as_account_administrator,
}


@pytest.mark.parametrize("way", POWER, indirect=True)
def test_who_may_do_everything_is_active_with_a_warning(way: Way, request: pytest.FixtureRequest):
    assert "over_privileged" not in [step.code for step in way.validate().steps]
    POWER[request.node.callspec.params["way"]](way.case.cloud)
    verdict = way.validate()
    assert verdict.outcome is Outcome.ACTIVE
    assert step_of(verdict, "over_privileged").status == "warned"
    assert step_of(verdict, "over_privileged").remedy


def as_network_contributor(cloud: AzureCloud) -> None:
    reader = {"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}
    changing = {**reader, "actions": ["microsoft.network/*"]}
    cloud.subscription.roles[cloud.application.object_id] += [reader, changing]


def as_firewall_administrator(cloud: GcpCloud) -> None:
    for project in cloud.projects.values():
        for account in project.granted:
            project.granted[account] = {*project.granted[account], "compute.firewalls.update"}


def as_policy_manager(cloud: OciCloud) -> None:
    cloud.groups = {"ocid1.group.oc1..pol": "Policy Admins"}
    cloud.statements = ["Allow group 'Default'/'Policy Admins', Others to manage policies in tenancy"]


def as_key_manager(cloud: IbmCloud) -> None:
    manager = replace(
        cloud.policies[0], role="crn:v1:bluemix:public:iam::::serviceRole:Manager", attributes={"serviceName": "kms"}
    )
    cloud.policies = [*cloud.policies, manager]


SOME_POWER: Mapping[str, Callable[[Any], None]] = {
    "azure, client secret": as_network_contributor,
    "gcp, service account key": as_firewall_administrator,
    "alicloud, access key": lambda cloud: cloud.attached_to_group.add("AliyunECSFullAccess"),
    "oci, API signing key": as_policy_manager,
    "ibm, API key": as_key_manager,
}


@pytest.mark.parametrize("way", SOME_POWER, indirect=True)
def test_power_over_one_service_or_through_a_group_is_warned_of_too(way: Way, request: pytest.FixtureRequest):
    SOME_POWER[request.node.callspec.params["way"]](way.case.cloud)
    verdict = way.validate()
    assert (verdict.outcome, step_of(verdict, "over_privileged").status) == (Outcome.ACTIVE, "warned")


@pytest.mark.parametrize(
    ("statement", "is_power"),
    [
        ("Allow any-user to manage all-resources in tenancy", True),
        ("allow group id 'ocid1.group.oc1..aaa' to use all-resources in tenancy", True),
        ('Allow group "Default"/"Admins" to manage virtual-network-family in compartment prod', True),
        ("Allow group Admins to read all-resources in tenancy", False),
        ("Allow group Others to manage all-resources in tenancy", False),
        ("Allow group Admins to manage all-resources in tenancy where request.region = 'fra'", False),
    ],
)
def test_a_statement_of_oci_is_power_when_it_lets_the_user_change_things(statement: str, is_power: bool):
    assert administers([statement], {"ocid1.group.oc1..aaa": "Admins"}) is is_power


SUSPENDED: Mapping[str, tuple[Fault, str]] = {
    "azure, client secret": (
        Fault(r"management.*/subscriptions/[^/]+$", status=403, body={"error": {"code": "DisabledSubscription"}}),
        "account_not_active",
    ),
    "azure, certificate": (
        Fault(r"/token$", status=400, body={"error": "invalid_request", "error_codes": [5000225]}),
        "account_not_active",
    ),
    "gcp, service account key": (
        Fault(
            "/v3/projects/",
            status=403,
            body={"error": {"status": "PERMISSION_DENIED", "details": [{"reason": "BILLING_DISABLED"}]}},
        ),
        "project_suspended",
    ),
    "alicloud, access key": (
        Fault("^ecs", status=403, body={"Code": "InvalidAccountStatus.NotEnoughBalance"}),
        "account_not_active",
    ),
    "oci, API signing key": (
        Fault("/users/", status=403, body={"code": "TenancySuspended"}),
        "account_not_active",
    ),
}


@pytest.mark.parametrize("way", SUSPENDED, indirect=True)
def test_an_account_that_is_not_active_is_refused_with_its_state(
    way: Way, stand_in: StandIn, request: pytest.FixtureRequest
):
    fault, code = SUSPENDED[request.node.callspec.params["way"]]
    stand_in.faults.add(fault)
    verdict = way.validate()
    assert verdict.outcome is Outcome.REFUSED
    assert step_of(verdict, code).remedy


@pytest.mark.parametrize("way", ["alicloud, access key"], indirect=True)
def test_a_control_policy_that_closes_our_region_limits_and_is_named(way: Way):
    cloud: Any = way.case.cloud
    cloud.closed_regions.add("ap-southeast-1")
    verdict = way.validate()
    assert (verdict.outcome, verdict.steps[-1].code) == (Outcome.ACTIVE_LIMITED, "region_policy")
    assert "ap-southeast-1" in verdict.steps[-1].message
