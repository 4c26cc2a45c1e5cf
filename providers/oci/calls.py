"""Calls to one OCI tenancy, signed by a user's key. They raise Refused or Trouble."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, urlencode

from providers.error_rules import Judge
from providers.oci.errors import TABLE, codes
from providers.oci.permissions import GROUPS, MEMBERSHIPS, NAMESPACE, POLICIES, Probe
from providers.oci.regions import host
from providers.oci.signature import Signer
from providers.rest import Request, Rest, text
from transport.client import GuardedClient

JUDGE = Judge("OCI", TABLE)


def rest(client: GuardedClient) -> Rest:
    return Rest(client, JUDGE, codes)


class Tenancy:
    """One tenancy in one region. Both are checked values."""

    def __init__(self, rest: Rest, ocid: str, region: str, signer: Signer) -> None:
        self._rest = rest
        self._region = region
        self._signer = signer
        end = datetime.now(UTC).replace(second=0, microsecond=0)
        start = end - timedelta(minutes=1)
        self._values = {"tenancy": ocid, "start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}

    def user(self, ocid: str) -> Mapping[str, Any]:
        return self._get(Probe("identity", f"/20160918/users/{ocid}"))

    def probe(self, probe: Probe) -> None:
        if "{namespace}" in probe.path and "namespace" not in self._values:
            self._values["namespace"] = self._namespace()
        self._get(probe)

    def groups_of(self, user: str) -> Mapping[str, str]:
        """The groups that a user is in: names by OCID."""
        members = self._listed(MEMBERSHIPS, userId=user)
        ids = {text(member, "groupId") for member in members}
        return {text(group, "id"): text(group, "name") for group in self._listed(GROUPS) if text(group, "id") in ids}

    def statements(self) -> Sequence[str]:
        """Those of the policies of the root compartment."""
        lists = (policy.get("statements") for policy in self._listed(POLICIES))
        return [said for found in lists if isinstance(found, list) for said in found if isinstance(said, str)]

    def _listed(self, probe: Probe, **query: str) -> Sequence[Mapping[str, Any]]:
        found = self._get(Probe(probe.service, probe.path, {**probe.query, **query})).get("value")
        return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []

    def _namespace(self) -> str:
        found = text(self._get(NAMESPACE), "value")
        if not found:
            raise JUDGE.unavailable()
        return found

    def _get(self, probe: Probe) -> Mapping[str, Any]:
        path = probe.path.format(**{name: quote(value, safe="") for name, value in self._values.items()})
        query = urlencode({name: value.format(**self._values) for name, value in probe.query.items()}, quote_via=quote)
        url = f"https://{host(probe.service, self._region)}{path}" + (f"?{query}" if query else "")
        date = format_datetime(datetime.now(UTC), usegmt=True)
        return self._rest.call(Request("GET", url, self._signer.headers("GET", url, date=date)))
