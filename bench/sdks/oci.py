"""OCI's SDK: a client for each service, and one signer for all of them, so that the key is read once."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import oci
from oci.audit import AuditClient
from oci.core import BlockstorageClient, ComputeClient, VirtualNetworkClient
from oci.database import DatabaseClient
from oci.events import EventsClient
from oci.identity import IdentityClient
from oci.key_management import KmsVaultClient
from oci.load_balancer import LoadBalancerClient
from oci.logging import LoggingManagementClient
from oci.object_storage import ObjectStorageClient

from bench.cloud_bed import CloudCustomer, Platform
from bench.cloud_lanes import Validate
from emulators.clouds.server import ADDRESS
from providers.oci.permissions import PERMISSIONS

Call = Callable[[Any, str], Any]
"""From a client and the tenancy."""


def listed(method: str) -> Call:
    return lambda client, tenancy: getattr(client, method)(compartment_id=tenancy, limit=1)


def audit_events(client: Any, tenancy: str) -> Any:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return client.list_events(tenancy, start_time=now - timedelta(minutes=1), end_time=now)


CALLS: Mapping[str, tuple[type, Call]] = {
    "TENANCY_INSPECT": (IdentityClient, lambda client, tenancy: client.get_tenancy(tenancy)),
    "COMPARTMENT_INSPECT": (IdentityClient, listed("list_compartments")),
    "USER_INSPECT": (IdentityClient, listed("list_users")),
    "GROUP_INSPECT": (IdentityClient, listed("list_groups")),
    "POLICY_READ": (IdentityClient, listed("list_policies")),
    "AUTHENTICATION_POLICY_INSPECT": (
        IdentityClient,
        lambda client, tenancy: client.get_authentication_policy(tenancy),
    ),
    "VCN_READ": (VirtualNetworkClient, listed("list_vcns")),
    "SECURITY_LIST_READ": (VirtualNetworkClient, listed("list_security_lists")),
    "INSTANCE_READ": (ComputeClient, listed("list_instances")),
    "BUCKET_INSPECT": (
        ObjectStorageClient,
        lambda client, tenancy: client.list_buckets(client.get_namespace().data, tenancy, limit=1),
    ),
    "DYNAMIC_GROUP_INSPECT": (IdentityClient, listed("list_dynamic_groups")),
    "NETWORK_SECURITY_GROUP_READ": (VirtualNetworkClient, listed("list_network_security_groups")),
    "VOLUME_INSPECT": (BlockstorageClient, listed("list_volumes")),
    "LOAD_BALANCER_INSPECT": (LoadBalancerClient, listed("list_load_balancers")),
    "AUTONOMOUS_DATABASE_INSPECT": (DatabaseClient, listed("list_autonomous_databases")),
    "DB_SYSTEM_INSPECT": (DatabaseClient, listed("list_db_systems")),
    "EVENTRULE_LIST": (EventsClient, listed("list_rules")),
    "LOG_GROUP_INSPECT": (LoggingManagementClient, listed("list_log_groups")),
    "VAULT_INSPECT": (KmsVaultClient, listed("list_vaults")),
    "AUDIT_EVENT_READ": (AuditClient, audit_events),
}


class Clients:
    """Of one validation, made when they are needed."""

    def __init__(self, customer: CloudCustomer, parts: ExitStack) -> None:
        self._customer = customer
        self._parts = parts
        self._made: dict[type, Any] = {}
        fields = customer.fields
        self._config = {
            "user": fields["user_ocid"],
            "tenancy": fields["tenancy_ocid"],
            "fingerprint": fields["fingerprint"],
            "key_content": fields["private_key"],
            "region": fields["region"],
        }
        self._signer = oci.signer.Signer(
            *(self._config[name] for name in ("tenancy", "user", "fingerprint")),
            private_key_file_location=None,
            private_key_content=fields["private_key"],
        )

    def of(self, kind: type) -> Any:
        if kind not in self._made:
            endpoint = f"https://{ADDRESS}:{self._customer.at.port}"
            client: Any = kind(self._config, signer=self._signer, service_endpoint=endpoint)
            client.base_client.session.verify = self._customer.at.ca_file
            self._made[kind] = client
            self._parts.callback(client.base_client.session.close)
        return self._made[kind]


def validation(customer: CloudCustomer, _: Platform) -> Validate:
    user, tenancy = customer.fields["user_ocid"], customer.fields["tenancy_ocid"]

    def validate() -> None:
        with ExitStack() as parts:
            clients = Clients(customer, parts)
            if clients.of(IdentityClient).get_user(user).data.lifecycle_state != "ACTIVE":
                raise RuntimeError("The SDK does not find what we find.")
            for permission in PERMISSIONS:
                kind, call = CALLS[permission.name]
                call(clients.of(kind), tenancy)
            identity = clients.of(IdentityClient)
            identity.list_user_group_memberships(tenancy, user_id=user, limit=100)
            identity.list_groups(tenancy, limit=100)
            identity.list_policies(tenancy, limit=100)

    return validate
