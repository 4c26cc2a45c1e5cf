"""ProbeCredential: prove a credential as an onboarding would, and keep nothing. Its result is the verdict; it fails
when the cloud does not answer in time."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    import workflows.ids as ids
    from activities.credentials import CredentialActivities
    from domain.errors import Conflict
    from domain.onboarding.dry_run import ProbeRequest
    from domain.onboarding.validation import Verdict
    from workflows.errors import final, refusal
    from workflows.policies import cloud_call


@workflow.defn
class ProbeCredential:
    """One look at one credential."""

    @workflow.run
    async def run(self, request: ProbeRequest) -> Verdict:
        if workflow.info().workflow_id != ids.probe_id(request.tenant_id, request.probe_id):
            raise refusal(Conflict)
        workflow.set_current_details(f"Proving a credential of {request.provider_type.value}; nothing is stored.")
        try:
            verdict = await workflow.execute_activity_method(
                CredentialActivities.probe_credential,
                request,
                activity_id="probe",
                summary=f"Prove the credential against {request.provider_type.value}, and keep nothing",
                **cloud_call(request.patience_seconds),
            )
        except ActivityError as error:
            raise final(error) from None
        workflow.set_current_details(f"The credential would be {verdict.outcome.value}. Nothing was stored.")
        return verdict
