"""Roles in customers' AWS accounts, each with a trust policy of its own, behind the canned AWS."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from tests.providers.aws_accounts import EXTERNAL_ID
from tests.providers.canned_aws import ACCOUNT, Answer, CannedAws, Handler, Request, error

VICTIMS = EXTERNAL_ID
"""The external id of another customer, which its role insists on."""

PROBE = re.compile(r"te-probe-[0-9a-f]{32}")

VICTIM, OPEN, ANY = "victim", "open", "any"
"""Roles by what opens them: the victim's external id; whatever is sent, also nothing; any external id."""


def role_arn(trust: str, number: int) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{trust}/{number}/ThreatEngineReadOnly"


class CustomerRoles(CannedAws):
    """A trust that is neither of the three is the external id that opens the role."""

    def answer(self, request: Request) -> Answer:
        if request.action != "AssumeRole":
            return super().answer(request)
        self.requests.append(request)
        trust, given = request.parameters["RoleArn"].split("/")[1], request.parameters.get("ExternalId")
        opens = {VICTIM: given == VICTIMS, OPEN: True, ANY: given is not None}.get(trust, given == trust)
        return self.assumed() if opens else error("AccessDenied", 403)

    def assumptions(self) -> list[Request]:
        return [request for request in self.requests if request.action == "AssumeRole"]


def legitimate(request: Request, own: str) -> bool:
    """Whether a role was tried as it may be: with its account's own external id, or, to see that it stays shut, with
    none or a random one."""
    given = request.parameters.get("ExternalId")
    probes = given is None or PROBE.fullmatch(given) is not None
    return probes if request.parameters["RoleSessionName"] == "te-trust-probe" else given == own


@contextmanager
def running_customer_roles() -> Iterator[CustomerRoles]:
    roles = CustomerRoles()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"aws": roles}))
    roles.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield roles
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
