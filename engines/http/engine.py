"""The client of a scan engine behind a URL of the operator's. The protocol: docs/reference/engine-protocol.yaml.

Every call is bounded in time and size, follows no redirect and takes no proxy from the environment. Whoever calls
repeats it, because the execution's id makes each call idempotent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import quote, urlencode

import httpcore

from domain.errors import InvalidInput, PlatformConfig, Problem, Throttled, Unavailable
from domain.onboarding.credentials import Credential, Secret
from domain.scans.scan import EngineProgress, ExecutionStatus, Finding, ScanOrder
from engines.checks import not_scanned
from engines.http.findings import bad_answer, page_of, progress_of
from providers.error_rules import seconds
from transport.deadline import Connector
from transport.exchange import FAILURES, Bounds, Exchanges, TooLarge

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
MAX_RETRY_AFTER_SECONDS = 300.0

LOST_JOB = "engine_lost_job"
REFUSALS = frozenset({400, 409, 413, 415, 422})


@dataclass(frozen=True)
class EngineAddress:
    url: str
    """Where /api/v1/scan is, without it."""
    token: Secret | None = None
    """Sent as a bearer token, when the operator has set one."""


@dataclass(frozen=True)
class HttpLimits:
    max_bytes: int = 8_388_608
    """Of one answer."""
    max_seconds: float = 60
    """From sending a request to the last byte of its answer."""
    page_size: int = 1_000
    max_findings: int = 100_000


class HttpEngine:
    """The `OutsideEngine`."""

    def __init__(self, address: EngineAddress, *, limits: HttpLimits | None = None) -> None:
        self._url = f"{address.url.rstrip('/')}/api/v1/scan"
        self._limits = limits or HttpLimits()
        token = {"authorization": f"Bearer {address.token.reveal()}"} if address.token else {}
        # Whatever is unpacked here could be larger than what came.
        self._headers = {"accept": "application/json", "accept-encoding": "identity", **token}
        bounds = Bounds(self._limits.max_seconds, CONNECT_SECONDS, READ_SECONDS, self._limits.max_bytes)
        self._exchanges = Exchanges(Connector(), bounds, keep_alive=True)

    def start(self, order: ScanOrder, session: Credential) -> None:
        """Raises InvalidInput when the engine refuses the order, Trouble."""
        reply = self._ask("POST", "", body=order_of(order, session))
        if reply.status in REFUSALS:
            raise _refused("engine_refused_order", "The scan engine refuses the order; the operators can see why.")
        _expect(reply, 200, 202)

    def poll(self, order: ScanOrder) -> EngineProgress:
        """A job that the engine does not know has failed. Raises Trouble, InvalidInput for an answer that is none."""
        reply = self._ask("GET", f"/{_job(order)}/status")
        if reply.status == 404:
            return EngineProgress(ExecutionStatus.FAILED, error_code=LOST_JOB)
        return progress_of(_object(_expect(reply, 200)))

    def findings(self, order: ScanOrder) -> Sequence[Finding]:
        """All of them, page by page, up to the limit; a finding of our own says when there are more. Raises
        InvalidInput when the engine does not know the job any more or its answer is none, Trouble."""
        limit, found, query = self._limits.max_findings, list[Finding](), {"limit": str(self._limits.page_size)}
        while len(found) <= limit:
            page, cursor = self._page(order, query, first=len(found))
            found += page
            if cursor is None:
                break
            query["cursor"] = cursor
        if len(found) <= limit:
            return found
        message = f"The engine has more than {limit} findings; the rest was left out."
        more = not_scanned(order.account_number, message, "Scan fewer regions or services at a time.")
        return [*found[:limit], more]

    def cancel(self, order: ScanOrder) -> None:
        """Raises Trouble."""
        _expect(self._ask("DELETE", f"/{_job(order)}"), 200, 202, 204, 404, 409, 410)

    def close(self) -> None:
        self._exchanges.close()

    def _page(self, order: ScanOrder, query: Mapping[str, str], *, first: int) -> tuple[list[Finding], str | None]:
        reply = self._ask("GET", f"/{_job(order)}/findings", query=query)
        if reply.status == 404:
            raise _refused(LOST_JOB, "The scan engine does not know this scan any more; start a new one.")
        page, cursor = page_of(_object(_expect(reply, 200)), first=first, account_number=order.account_number)
        if cursor is not None and not page:
            raise bad_answer("an empty page of findings has a next_cursor")
        return page, cursor

    def _ask(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: object = None) -> "Reply":
        """Raises Unavailable when no answer comes, or one that is too slow; InvalidInput for one that is too large."""
        url = self._url + path + (f"?{urlencode(query)}" if query else "")
        sent = json.dumps(body).encode() if body is not None else b""
        headers = self._headers | ({"content-type": "application/json"} if sent else {})
        try:
            reply = self._exchanges.send(method, httpcore.URL(url), headers, sent)
        except TooLarge:
            raise bad_answer(f"it is larger than {self._limits.max_bytes} bytes") from None
        except FAILURES:
            raise Unavailable("The scan engine does not answer at the moment.") from None
        return Reply(reply.status, reply.body, reply.headers)


@dataclass(frozen=True)
class Reply:
    status: int
    content: bytes
    headers: Mapping[str, str]

    @property
    def wait(self) -> float | None:
        """Seconds; None when the header is missing or is a date."""
        asked = seconds(self.headers.get("retry-after", ""))
        return None if asked is None else min(asked, MAX_RETRY_AFTER_SECONDS)


def order_of(order: ScanOrder, session: Credential) -> dict[str, object]:
    """The body of a start: the order, and the credential in the clear."""
    return {
        "job_id": order.execution_id,
        "tenant_id": order.tenant_id,
        "account_id": order.account_id,
        "provider": order.provider_type.value,
        "account_number": order.account_number,
        "scope": asdict(order.scope),
        "credential": {"type": session.credential_type, "fields": session.reveal_all()},
    }


def _job(order: ScanOrder) -> str:
    return quote(order.execution_id, safe="")


def _expect(reply: Reply, *statuses: int) -> Reply:
    """The reply, when its status is one of those; raises Trouble otherwise."""
    if reply.status in statuses:
        return reply
    if reply.status == 429:
        raise Throttled("The scan engine asks to slow down.", retry_after=reply.wait)
    if reply.status == 408 or reply.status >= 500:
        raise Unavailable("The scan engine has trouble at the moment.", retry_after=reply.wait)
    raise PlatformConfig(f"The scan engine answers with status {reply.status}; the operators have been told.")


def _object(reply: Reply) -> dict[str, object]:
    """Raises InvalidInput, or Unavailable for a page that is none of the engine's: a proxy's, while that restarts."""
    try:
        answer = json.loads(reply.content)
    except (ValueError, RecursionError):
        if "html" in reply.headers.get("content-type", "").lower():
            raise Unavailable("Something else answers in the place of the scan engine.") from None
        raise bad_answer("it is not JSON") from None
    if not isinstance(answer, dict):
        raise bad_answer("it is not a JSON object")
    return answer


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=[Problem(code, message)])
