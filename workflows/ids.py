"""Names that cross a process boundary: task queues and workflow ids."""

ONBOARDING_QUEUE = "onboarding"


def onboarding_id(tenant_id: str, account_id: str) -> str:
    """The id of an account's onboarding. It carries the tenant, and the workflow refuses a request of another one."""
    return f"onboard:{tenant_id}:{account_id}"
