"""Which workflows a worker runs on each queue, and a replay must know."""

from workflows.audit.seal_audits import SealAudits
from workflows.onboarding.onboard_account import OnboardAccount
from workflows.onboarding.probe_credential import ProbeCredential
from workflows.scans.run_scan import RunScan
from workflows.schedules.converge_schedule import ConvergeSchedule
from workflows.upkeep.reconcile import Reconcile

ONBOARDING: list[type] = [OnboardAccount, ProbeCredential, ConvergeSchedule, Reconcile, SealAudits]
SCANS: list[type] = [RunScan]
