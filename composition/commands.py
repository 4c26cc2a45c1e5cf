"""Commands through Temporal: who signs them, and those that recur."""

from datetime import timedelta

from config import Settings
from domain.commands import CountUnsigned
from stores.kms.command_keys import KmsCommandKeys
from stores.session import AwsClients
from temporal.schedules.recurring import Recurring
from temporal.signing.signatures import Signer, uncounted
from workflows.scans.scheduled_scan import reconciling, sealing


def signer_of(settings: Settings, aws: AwsClients, count: CountUnsigned = uncounted) -> Signer:
    return Signer(
        KmsCommandKeys(aws.kms, key_id=settings.commands_kms_key_id),
        key_name=settings.commands_kms_key_id,
        unsigned=settings.unsigned_commands,
        count=count,
    )


def recurring_of(settings: Settings) -> tuple[Recurring, ...]:
    """Sweeps over all schedules, and runs over all audit trails."""
    return (
        Recurring(reconciling(), timedelta(seconds=settings.reconcile_interval_seconds)),
        Recurring(sealing(), timedelta(seconds=settings.audit_seal_interval_seconds)),
    )
