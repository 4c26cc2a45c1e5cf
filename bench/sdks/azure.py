"""Azure's SDK: azure-identity for the token, and azure-mgmt-subscription for the rest, of which it has the subscription
ready-made and the permissions as a request through its own pipeline. MSAL looks up the tenant by itself, one request
more than ours."""

from typing import Any

from azure.core.rest import HttpRequest
from azure.identity import CertificateCredential, ClientSecretCredential
from azure.mgmt.subscription import SubscriptionClient

from bench.cloud_bed import CloudCustomer, Platform
from bench.cloud_lanes import Validate
from emulators.clouds.server import ADDRESS
from providers.azure.provider import PERMISSIONS_VERSION, SCOPE


def validation(customer: CloudCustomer, _: Platform) -> Validate:
    url = f"https://{ADDRESS}:{customer.at.port}"
    options = {"connection_verify": customer.at.ca_file}
    subscription_id = customer.fields["subscription_id"]
    path = f"/subscriptions/{subscription_id}/providers/Microsoft.Authorization/permissions"
    permissions = HttpRequest("GET", path, params={"api-version": PERMISSIONS_VERSION})

    def validate() -> None:
        with (
            _credential(customer, authority=url, disable_instance_discovery=True, **options) as credential,
            SubscriptionClient(credential, base_url=url, credential_scopes=[SCOPE], **options) as client,
        ):
            found = client.subscriptions.get(subscription_id)
            answer = client._send_request(permissions)
            answer.raise_for_status()
            if found.state != "Enabled" or not answer.json()["value"]:
                raise RuntimeError("The SDK does not find what we find.")

    return validate


def _credential(customer: CloudCustomer, **options: Any) -> Any:
    fields = customer.fields
    names = (fields["tenant_id"], fields["client_id"])
    if customer.auth_method == "certificate":
        certificate = fields["client_certificate"].encode()
        return CertificateCredential(*names, certificate_data=certificate, **options)
    return ClientSecretCredential(*names, fields["client_secret"], **options)
