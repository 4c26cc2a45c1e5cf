"""Google's library: google-auth from a credential to an authorised session. Each host's connections are kept for the
length of a validation, as requests does it."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.identity_pool import Credentials as PoolCredentials
from google.auth.identity_pool import SubjectTokenSupplier
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials as KeyCredentials
from requests.adapters import HTTPAdapter

from bench.cloud_bed import Address, CloudCustomer, Platform
from bench.cloud_lanes import Validate, identity_of
from bench.ports import EXTERNAL_ID
from emulators.clouds.server import ADDRESS
from providers.gcp.description import PERMISSIONS
from providers.gcp.key import SCOPE
from providers.gcp.provider import ACCOUNTS_URL, EXCHANGE_URL, PROJECTS_URL
from tests.fakes_identity import FakeIdentity

WANTED = {"permissions": [permission.name for permission in PERMISSIONS]}


class Leading(HTTPAdapter):  # type: ignore[misc]
    """Every name leads to the stand-in; addresses and certificates stay Google's own."""

    def __init__(self, at: Address) -> None:
        self._at = at
        super().__init__()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        _, options = super().build_connection_pool_key_attributes(request, verify, cert)
        name = urlsplit(request.url).hostname
        host = {"scheme": "https", "host": ADDRESS, "port": self._at.port}
        return host, {**options, "server_hostname": name, "assert_hostname": name}

    def add_headers(self, request: Any, **_: Any) -> None:
        request.headers["Host"] = urlsplit(request.url).hostname


class Supplier(SubjectTokenSupplier):  # type: ignore[misc]
    """Our token for a subject."""

    def __init__(self, identity: FakeIdentity, subject: str) -> None:
        self._identity, self._subject = identity, subject

    def get_subject_token(self, context: Any, request: Any) -> str:
        return self._identity.token(self._subject, context.audience)


def validation(customer: CloudCustomer, platform: Platform) -> Validate:
    if customer.auth_method == "workload_identity":
        return partial(_by_pool, customer, identity_of(platform))
    return partial(_by_key, customer)


def _by_key(customer: CloudCustomer) -> None:
    file = customer.fields["service_account_json"]
    with _session(customer.at) as plain:
        credentials = KeyCredentials.from_service_account_info(file, scopes=[SCOPE])
        _look(customer.at, credentials, plain, file["project_id"])


def _by_pool(customer: CloudCustomer, identity: FakeIdentity) -> None:
    """With the attempt as another subject, which the customer's pool has to refuse."""
    with _session(customer.at) as plain:
        credentials = _of_pool(customer.fields, Supplier(identity, EXTERNAL_ID))
        credentials.refresh(Request(plain))
        try:
            _of_pool(customer.fields, Supplier(identity, "te-probe")).refresh(Request(plain))
        except GoogleAuthError:
            _look(customer.at, credentials, plain, customer.fields["project_id"])
        else:
            raise RuntimeError("The pool lets in another subject.")


def _of_pool(fields: Mapping[str, Any], supplier: Supplier) -> Any:
    pool = f"projects/{fields['project_number']}/locations/global/workloadIdentityPools/{fields['pool_id']}"
    return PoolCredentials(
        audience=f"//iam.googleapis.com/{pool}/providers/{fields['provider_id']}",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",  # noqa: S106  # a name
        token_url=EXCHANGE_URL,
        subject_token_supplier=supplier,
        service_account_impersonation_url=f"{ACCOUNTS_URL}/{fields['service_account_email']}:generateAccessToken",
        scopes=[SCOPE],
    )


def _look(at: Address, credentials: Any, plain: Any, project_id: str) -> None:
    with AuthorizedSession(credentials, auth_request=Request(plain)) as session:
        _lead(session, at)
        project = session.get(f"{PROJECTS_URL}/{project_id}")
        project.raise_for_status()
        held = session.post(f"{PROJECTS_URL}/{project_id}:testIamPermissions", json=WANTED)
        held.raise_for_status()
        if project.json()["state"] != "ACTIVE" or len(held.json()["permissions"]) < len(WANTED["permissions"]):
            raise RuntimeError("The library does not find what we find.")


def _session(at: Address) -> Any:
    return _lead(requests.Session(), at)


def _lead(session: Any, at: Address) -> Any:
    session.mount("https://", Leading(at))
    session.verify = at.ca_file
    return session
