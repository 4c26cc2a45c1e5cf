"""What tells one deployment from another."""

from hashlib import sha256

from config import Settings


def deployment_name(settings: Settings) -> str:
    """The first part of the identities of a deployment's workers. Two deployments that work on different AWS accounts,
    regions, tables or secrets have different ones; the version is left out, because a new one works beside the old."""
    of = (
        settings.platform_aws_account_id,
        settings.aws_region,
        settings.aws_endpoint_url or "",
        settings.secrets_manager_prefix,
        settings.dynamodb_accounts_table,
    )
    return f"worker-{sha256('/'.join(of).encode()).hexdigest()[:8]}"
