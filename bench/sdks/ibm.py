"""IBM Cloud's SDK: one authenticator for both services of IAM, so that a token is asked for once."""

from contextlib import closing
from typing import Any

from ibm_cloud_sdk_core.authenticators import IAMAuthenticator
from ibm_platform_services import IamIdentityV1, IamPolicyManagementV1

from bench.cloud_bed import CloudCustomer, Platform
from bench.cloud_lanes import Validate
from emulators.clouds.server import ADDRESS


def validation(customer: CloudCustomer, _: Platform) -> Validate:
    url = f"https://{ADDRESS}:{customer.at.port}"
    api_key = customer.fields["api_key"]

    def service(kind: Any, authenticator: Any) -> Any:
        made = kind(authenticator=authenticator)
        made.set_service_url(url)
        made.set_http_config({"verify": customer.at.ca_file})
        return made

    def validate() -> None:
        authenticator = IAMAuthenticator(api_key, url=url)
        identity = service(IamIdentityV1, authenticator)
        management = service(IamPolicyManagementV1, authenticator)
        with closing(identity.http_client), closing(management.http_client):
            key = identity.get_api_keys_details(iam_api_key=api_key).get_result()
            found = management.list_policies(
                key["account_id"], type="access", state="active", iam_id=key["iam_id"]
            ).get_result()
        if not found["policies"]:
            raise RuntimeError("The SDK does not find what we find.")

    return validate
