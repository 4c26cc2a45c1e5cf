"""Which workflows a worker runs on each queue, and a replay must know."""

from workflows.converge_schedule import ConvergeSchedule
from workflows.onboard_account import OnboardAccount
from workflows.probe_credential import ProbeCredential
from workflows.reconcile import Reconcile
from workflows.run_scan import RunScan
from workflows.seal_audits import SealAudits

ONBOARDING: list[type] = [OnboardAccount, ProbeCredential, ConvergeSchedule, Reconcile, SealAudits]
SCANS: list[type] = [RunScan]
