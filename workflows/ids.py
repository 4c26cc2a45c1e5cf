"""Names that cross a process boundary: task queues and their order, and workflow ids."""

ONBOARDING_QUEUE = "onboarding"

SCANS_QUEUE = "scans"
"""Scans have workers' slots of their own, so that they never keep an onboarding waiting."""

QUEUES = (ONBOARDING_QUEUE, SCANS_QUEUE)
"""Those that a worker polls."""

ONBOARDING_PRIORITY = 1
"""Somebody waits for the answer: before rotations (2), checks (3) and scans (4)."""

SCAN_PRIORITY = 4


def onboarding_id(tenant_id: str, account_id: str) -> str:
    """The id of an account's onboarding. It carries the tenant, and the workflow refuses a request of another one."""
    return f"onboard:{tenant_id}:{account_id}"


def probe_id(tenant_id: str, operation_id: str) -> str:
    """The id of a dry run: one for each request."""
    return f"probe:{tenant_id}:{operation_id}"


def converge_id(tenant_id: str, schedule_id: str) -> str:
    """One workflow at a time changes a schedule."""
    return f"schedule:{tenant_id}:{schedule_id}"


def scan_id(tenant_id: str, name: str) -> str:
    """The id of a run. `name` is the execution's id when somebody triggered it; for a Temporal Schedule it is the
    schedule's id, and the server adds the time at which it was to fire."""
    return f"scan:{tenant_id}:{name}"


RECONCILE_ID = "reconcile"
SEAL_AUDITS_ID = "seal-audits"
