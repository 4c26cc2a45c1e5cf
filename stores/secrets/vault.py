"""Credentials in Secrets Manager: one secret for each account, one version of it for each submission.

A version id follows from account and submission, and the stored text from the entry, so that storing again is
recognised. Reads name their version: which one is current may change at any time.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from domain.errors import AlreadyExists, NotFound, Unavailable
from domain.onboarding.credentials import Credential, CredentialRef, VaultEntry
from stores.dynamodb.items import is_id
from stores.errors import aws_failures
from stores.secrets.document import from_text, to_text, version_id

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CURRENT: Literal["AWSCURRENT"] = "AWSCURRENT"
_PENDING: Literal["AWSPENDING"] = "AWSPENDING"


@dataclass(frozen=True)
class _Found:
    """A secret that is there. `stages` lists the staging labels of each version."""

    arn: str
    deleted: bool
    stages: dict[str, list[str]]

    @property
    def current(self) -> str | None:
        return next((version for version, labels in self.stages.items() if _CURRENT in labels), None)

    def ref(self, version: str) -> CredentialRef:
        return CredentialRef(self.arn, version, pending=version != self.current)


class SecretsManagerVault:
    def __init__(
        self, secretsmanager: "SecretsManagerClient", *, prefix: str, kms_key_id: str, kind: str = "account"
    ) -> None:
        self._secrets = secretsmanager
        self._prefix = f"{prefix}/{kind}"
        self._kms_key_id = kms_key_id

    @aws_failures()
    def store(self, entry: VaultEntry) -> CredentialRef:
        """Looks first: AWS answers the repetition of a request with success, an emulator that the secret exists.
        Raises AlreadyExists when this submission stored something else, PayloadTooLarge."""
        text = to_text(entry)
        found = self._find(entry.tenant_id, entry.account_id)
        if found is None:
            if created := self._create(entry, text):
                return created
            found = self._find(entry.tenant_id, entry.account_id)
        if found is None:
            raise Unavailable("The name of the secret is still being freed; try again shortly.")
        if found.deleted:
            return self._revive(entry, text)
        return found.ref(self._stored_version(entry, text, found) or self._put(entry, text, stage=_PENDING))

    @aws_failures()
    def read(self, tenant_id: str, account_id: str, ref: CredentialRef) -> Credential:
        return from_text(self._text(account_id, ref.version), tenant_id=tenant_id, account_id=account_id)

    @aws_failures()
    def promote(self, tenant_id: str, account_id: str, ref: CredentialRef) -> CredentialRef:
        found = self._find(tenant_id, account_id)
        if found is None or found.deleted or ref.version not in found.stages:
            raise NotFound
        if found.current != ref.version:
            self._make_current(account_id, ref.version, found.current)
        return replace(ref, pending=False)

    @aws_failures()
    def delete(self, tenant_id: str, account_id: str, *, recovery_days: int | None) -> None:
        found = self._find(tenant_id, account_id)
        if found is None or (found.deleted and recovery_days is not None):
            return
        name = self._name(account_id)
        try:
            if recovery_days is None:
                self._secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            else:
                self._secrets.delete_secret(SecretId=name, RecoveryWindowInDays=recovery_days)
        except self._secrets.exceptions.ResourceNotFoundException:
            return

    @aws_failures()
    def restore(self, tenant_id: str, account_id: str) -> None:
        found = self._find(tenant_id, account_id)
        if found is None:
            raise NotFound
        if found.deleted:
            self._secrets.restore_secret(SecretId=self._name(account_id))

    def _name(self, account_id: str) -> str:
        if not is_id(account_id):
            raise NotFound
        return f"{self._prefix}/{account_id}"

    def _find(self, tenant_id: str, account_id: str) -> _Found | None:
        """The account's secret, also one that is scheduled for deletion. Raises NotFound for another tenant's."""
        try:
            answer = self._secrets.describe_secret(SecretId=self._name(account_id))
        except self._secrets.exceptions.ResourceNotFoundException:
            return None
        if {"Key": "tenant", "Value": tenant_id} not in answer.get("Tags", []):
            raise NotFound
        return _Found(answer["ARN"], "DeletedDate" in answer, answer.get("VersionIdsToStages", {}))

    def _create(self, entry: VaultEntry, text: str) -> CredentialRef | None:
        """None when the name is in use: by our own request whose answer was lost, or by a deletion under way."""
        tags = {"tenant": entry.tenant_id, "account": entry.account_id, "provider": entry.provider_type}
        in_use = (
            self._secrets.exceptions.ResourceExistsException,
            self._secrets.exceptions.InvalidRequestException,
        )
        try:
            answer = self._secrets.create_secret(
                Name=self._name(entry.account_id),
                SecretString=text,
                KmsKeyId=self._kms_key_id,
                ClientRequestToken=version_id(entry),
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        except in_use:
            return None
        return CredentialRef(answer["ARN"], answer["VersionId"])

    def _stored_version(self, entry: VaultEntry, text: str, found: _Found) -> str | None:
        """The version that holds this entry already. MiniStack gives the first version an id of its own, so what is
        current is compared as well."""
        ours = version_id(entry)
        if ours in found.stages:
            if self._text(entry.account_id, ours) != text:
                raise AlreadyExists("This submission stored another credential before.")
            return ours
        if found.current and self._text(entry.account_id, found.current) == text:
            return found.current
        return None

    def _put(self, entry: VaultEntry, text: str, *, stage: Literal["AWSCURRENT", "AWSPENDING"]) -> str:
        try:
            answer = self._secrets.put_secret_value(
                SecretId=self._name(entry.account_id),
                ClientRequestToken=version_id(entry),
                SecretString=text,
                VersionStages=[stage],
            )
        except self._secrets.exceptions.ResourceExistsException:
            raise AlreadyExists("This submission stored another credential before.") from None
        return answer["VersionId"]

    def _revive(self, entry: VaultEntry, text: str) -> CredentialRef:
        """A deleted secret gets a new start: the restored values lose their labels, and so AWS removes them."""
        name = self._name(entry.account_id)
        self._secrets.restore_secret(SecretId=name)
        new = self._put(entry, text, stage=_CURRENT)
        found = self._find(entry.tenant_id, entry.account_id)
        if found is None:
            raise Unavailable
        for version, labels in found.stages.items():
            for label in labels if version != new else ():
                self._secrets.update_secret_version_stage(
                    SecretId=name, VersionStage=label, RemoveFromVersionId=version
                )
        return found.ref(new)

    def _make_current(self, account_id: str, version: str, replaced: str | None) -> None:
        """Secrets Manager makes the replaced version the previous one by itself."""
        removal = {"RemoveFromVersionId": replaced} if replaced else {}
        try:
            self._secrets.update_secret_version_stage(
                SecretId=self._name(account_id), VersionStage=_CURRENT, MoveToVersionId=version, **removal
            )
        except self._secrets.exceptions.InvalidParameterException:
            # Moved meanwhile, perhaps by this very request, whose first answer was lost: the repetition will see.
            raise Unavailable from None

    def _text(self, account_id: str, version: str) -> str:
        """Raises NotFound for a version that is gone, or scheduled for deletion with its secret."""
        gone = (
            self._secrets.exceptions.ResourceNotFoundException,
            self._secrets.exceptions.InvalidRequestException,
        )
        try:
            answer = self._secrets.get_secret_value(SecretId=self._name(account_id), VersionId=version)
        except gone:
            raise NotFound from None
        return answer["SecretString"]
