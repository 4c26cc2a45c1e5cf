"""Names that cross a process boundary: task queues and their order, and workflow ids."""

ONBOARDING_QUEUE = "onboarding"

ONBOARDING_PRIORITY = 1
"""Somebody waits for the answer: before rotations (2), checks (3) and scans (4)."""


def onboarding_id(tenant_id: str, account_id: str) -> str:
    """The id of an account's onboarding. It carries the tenant, and the workflow refuses a request of another one."""
    return f"onboard:{tenant_id}:{account_id}"
