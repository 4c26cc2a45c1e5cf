"""The contract of CredentialVault."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.errors import AlreadyExists, NotFound, PayloadTooLarge, Unavailable
from domain.onboarding.credentials import Credential
from tests.stores.conftest import SECRETS_KEY, Aws, Stores
from tests.stores.faults import answered, error_body, reply_lost
from tests.stores.samples import FOREIGN, STRANGE_IDS, another, new_entry, new_id


def test_the_first_version_is_current_at_once(stores: Stores):
    entry = new_entry()
    ref = stores.vault.store(entry)
    assert not ref.pending
    assert stores.vault.read(entry.tenant_id, entry.account_id, ref) == entry.credential


def test_a_later_version_waits_until_it_is_promoted(stores: Stores):
    first = new_entry()
    second = another(first)
    current, pending = stores.vault.store(first), stores.vault.store(second)
    assert pending.pending
    assert stores.vault.read(first.tenant_id, first.account_id, current) == first.credential
    assert stores.vault.read(first.tenant_id, first.account_id, pending) == second.credential


def test_storing_again_gives_the_same_reference(stores: Stores):
    first = new_entry()
    second = another(first)
    for entry in (first, second):
        ref = stores.vault.store(entry)
        assert stores.vault.store(entry) == ref


def test_a_promoted_version_is_current_and_the_old_one_still_readable(stores: Stores):
    first = new_entry()
    second = another(first)
    old, new = stores.vault.store(first), stores.vault.store(second)
    promoted = stores.vault.promote(first.tenant_id, first.account_id, new)
    assert promoted == replace(new, pending=False) == stores.vault.store(second)
    assert stores.vault.read(first.tenant_id, first.account_id, promoted) == second.credential
    assert stores.vault.read(first.tenant_id, first.account_id, old) == first.credential


def test_promoting_again_changes_nothing(stores: Stores):
    first = new_entry()
    stores.vault.store(first)
    pending = stores.vault.store(another(first))
    promoted = stores.vault.promote(first.tenant_id, first.account_id, pending)
    assert stores.vault.promote(first.tenant_id, first.account_id, pending) == promoted


def test_of_three_submissions_the_promoted_one_is_current(stores: Stores):
    first = new_entry()
    stores.vault.store(first)
    refused, accepted = (stores.vault.store(another(first, key=key)) for key in ("canary-2", "canary-3"))
    stores.vault.promote(first.tenant_id, first.account_id, accepted)
    assert stores.vault.store(another(first, key="canary-4")).pending
    found = stores.vault.read(first.tenant_id, first.account_id, accepted)
    assert found.reveal("secret_access_key") == "canary-3"
    assert refused.version != accepted.version


def test_one_submission_cannot_store_two_credentials(stores: Stores):
    first = new_entry()
    second = another(first)
    stores.vault.store(first)
    ref = stores.vault.store(second)
    other = replace(second, credential=Credential("aws_access_key", {"secret_access_key": "other"}))
    with pytest.raises(AlreadyExists):
        stores.vault.store(other)
    assert stores.vault.read(first.tenant_id, first.account_id, ref) == second.credential


@pytest.mark.parametrize("size", [65_536, 70_000])
def test_a_credential_over_the_limit_of_secrets_manager_is_refused(stores: Stores, size: int):
    entry = new_entry(key="x" * size)
    with pytest.raises(PayloadTooLarge):
        stores.vault.store(entry)
    stores.vault.delete(FOREIGN, entry.account_id, recovery_days=None)


def test_another_tenant_reaches_nothing(stores: Stores):
    entry = new_entry()
    ref = stores.vault.store(entry)
    pending = stores.vault.store(another(entry))
    account_id = entry.account_id
    for attempt in (
        lambda: stores.vault.read(FOREIGN, account_id, ref),
        lambda: stores.vault.promote(FOREIGN, account_id, pending),
        lambda: stores.vault.delete(FOREIGN, account_id, recovery_days=None),
        lambda: stores.vault.delete(FOREIGN, account_id, recovery_days=7),
        lambda: stores.vault.restore(FOREIGN, account_id),
        lambda: stores.vault.store(replace(another(entry), tenant_id=FOREIGN)),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert stores.vault.store(entry) == ref


def test_a_reference_opens_its_own_account_only(stores: Stores):
    entry, other = new_entry(), new_entry()
    ref = stores.vault.store(entry)
    stores.vault.store(other)
    with pytest.raises(NotFound):
        stores.vault.read(other.tenant_id, other.account_id, ref)


def test_a_version_that_was_never_stored_is_not_found(stores: Stores):
    entry = new_entry()
    unknown = replace(stores.vault.store(entry), version=new_id())
    with pytest.raises(NotFound):
        stores.vault.read(entry.tenant_id, entry.account_id, unknown)
    with pytest.raises(NotFound):
        stores.vault.promote(entry.tenant_id, entry.account_id, unknown)


@pytest.mark.parametrize("account_id", STRANGE_IDS, ids=ascii)
def test_a_strange_account_id_names_no_secret(stores: Stores, account_id: str):
    entry = new_entry()
    ref = stores.vault.store(entry)
    with pytest.raises(NotFound):
        stores.vault.read(entry.tenant_id, account_id, ref)


def test_a_deleted_credential_is_gone_and_may_be_deleted_again(stores: Stores):
    entry = new_entry()
    ref = stores.vault.store(entry)
    for _ in range(2):
        stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=None)
    with pytest.raises(NotFound):
        stores.vault.read(entry.tenant_id, entry.account_id, ref)
    with pytest.raises(NotFound):
        stores.vault.restore(entry.tenant_id, entry.account_id)


def test_after_deletion_for_good_the_next_version_is_the_first(stores: Stores):
    entry = new_entry()
    stores.vault.store(entry)
    stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=None)
    assert not stores.vault.store(another(entry)).pending


def test_a_deletion_within_its_window_is_undone(stores: Stores):
    entry = new_entry()
    ref = stores.vault.store(entry)
    for _ in range(2):
        stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=7)
    with pytest.raises(NotFound):
        stores.vault.read(entry.tenant_id, entry.account_id, ref)
    with pytest.raises(NotFound):
        stores.vault.promote(entry.tenant_id, entry.account_id, ref)
    for _ in range(2):
        stores.vault.restore(entry.tenant_id, entry.account_id)
    assert stores.vault.read(entry.tenant_id, entry.account_id, ref) == entry.credential


def test_a_deletion_with_a_window_can_be_made_final(stores: Stores):
    entry = new_entry()
    stores.vault.store(entry)
    stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=7)
    stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=None)
    with pytest.raises(NotFound):
        stores.vault.restore(entry.tenant_id, entry.account_id)


def test_a_credential_under_a_deleted_name_is_current_at_once(stores: Stores):
    first = new_entry()
    second = another(first)
    stores.vault.store(first)
    stores.vault.store(another(first, key="never promoted"))
    stores.vault.delete(first.tenant_id, first.account_id, recovery_days=7)
    ref = stores.vault.store(second)
    assert not ref.pending
    assert stores.vault.read(first.tenant_id, first.account_id, ref) == second.credential
    assert stores.vault.store(second) == ref


def test_eight_equal_requests_store_one_version(stores: Stores):
    entry = new_entry()
    with ThreadPoolExecutor(8) as pool:
        refs = set(pool.map(lambda _: stores.vault.store(entry), range(8)))
    assert len(refs) == 1


def secret_of(aws: Aws, account_id: str) -> dict[str, object]:
    return {**aws.clients.secretsmanager.describe_secret(SecretId=f"{aws.prefix}/account/{account_id}")}


def labels(aws: Aws, account_id: str) -> dict[str, str]:
    """The version of each label that is in use."""
    versions = secret_of(aws, account_id)["VersionIdsToStages"]
    assert isinstance(versions, dict)
    return {label: version for version, stages in versions.items() for label in stages}


def test_the_secret_has_the_name_the_key_and_the_tags_of_the_contract(aws: Aws):
    entry = new_entry()
    ref = aws.stores.vault.store(entry)
    secret = secret_of(aws, entry.account_id)
    assert (secret["ARN"], secret["KmsKeyId"]) == (ref.arn, SECRETS_KEY)
    assert secret["Tags"] == [
        {"Key": "tenant", "Value": entry.tenant_id},
        {"Key": "account", "Value": entry.account_id},
        {"Key": "provider", "Value": "aws"},
    ]


def test_the_secret_holds_the_document_of_the_contract(aws: Aws):
    entry = new_entry()
    ref = aws.stores.vault.store(entry)
    value = aws.clients.secretsmanager.get_secret_value(SecretId=ref.arn, VersionId=ref.version)
    assert json.loads(value["SecretString"]) == {
        "credential_type": "aws_access_key",
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "canary-1"},
        "account_id": entry.account_id,
        "tenant_id": entry.tenant_id,
        "created_at": entry.created_at,
    }


def test_a_promotion_moves_the_labels(aws: Aws):
    first = new_entry()
    old, new = aws.stores.vault.store(first), aws.stores.vault.store(another(first))
    assert labels(aws, first.account_id) == {"AWSCURRENT": old.version, "AWSPENDING": new.version}
    aws.stores.vault.promote(first.tenant_id, first.account_id, new)
    moved = labels(aws, first.account_id)
    assert (moved["AWSCURRENT"], moved["AWSPREVIOUS"]) == (new.version, old.version)


def test_a_revived_secret_has_no_old_version_under_any_label(aws: Aws):
    first = new_entry()
    aws.stores.vault.store(first)
    aws.stores.vault.store(another(first, key="never promoted"))
    aws.stores.vault.delete(first.tenant_id, first.account_id, recovery_days=7)
    ref = aws.stores.vault.store(another(first))
    assert labels(aws, first.account_id) == {"AWSCURRENT": ref.version}


@pytest.mark.parametrize("operation", ["DescribeSecret", "CreateSecret"])
def test_a_first_version_whose_reply_was_lost_is_stored_once(aws: Aws, operation: str):
    entry = new_entry()
    with reply_lost(aws.clients.secretsmanager, operation), pytest.raises(Unavailable):
        aws.stores.vault.store(entry)
    ref = aws.stores.vault.store(entry)
    assert labels(aws, entry.account_id) == {"AWSCURRENT": ref.version}
    assert not ref.pending


def test_a_later_version_whose_reply_was_lost_is_stored_once(aws: Aws):
    first = new_entry()
    second = another(first)
    aws.stores.vault.store(first)
    with reply_lost(aws.clients.secretsmanager, "PutSecretValue"), pytest.raises(Unavailable):
        aws.stores.vault.store(second)
    ref = aws.stores.vault.store(second)
    assert ref.pending
    assert len(labels(aws, first.account_id)) == 2


def test_a_promotion_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    first = new_entry()
    aws.stores.vault.store(first)
    ref = aws.stores.vault.store(another(first))
    with reply_lost(aws.clients.secretsmanager, "UpdateSecretVersionStage"), pytest.raises(Unavailable):
        aws.stores.vault.promote(first.tenant_id, first.account_id, ref)
    assert not aws.stores.vault.promote(first.tenant_id, first.account_id, ref).pending
    assert labels(aws, first.account_id)["AWSCURRENT"] == ref.version


@pytest.mark.parametrize("recovery_days", [None, 7])
def test_a_deletion_whose_reply_was_lost_is_repeated_with_success(aws: Aws, recovery_days: int | None):
    entry = new_entry()
    ref = aws.stores.vault.store(entry)
    with reply_lost(aws.clients.secretsmanager, "DeleteSecret"), pytest.raises(Unavailable):
        aws.stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=recovery_days)
    aws.stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=recovery_days)
    with pytest.raises(NotFound):
        aws.stores.vault.read(entry.tenant_id, entry.account_id, ref)


def test_a_restoration_whose_reply_was_lost_is_repeated_with_success(aws: Aws):
    entry = new_entry()
    ref = aws.stores.vault.store(entry)
    aws.stores.vault.delete(entry.tenant_id, entry.account_id, recovery_days=7)
    with reply_lost(aws.clients.secretsmanager, "RestoreSecret"), pytest.raises(Unavailable):
        aws.stores.vault.restore(entry.tenant_id, entry.account_id)
    aws.stores.vault.restore(entry.tenant_id, entry.account_id)
    assert aws.stores.vault.read(entry.tenant_id, entry.account_id, ref) == entry.credential


def test_what_aws_answers_to_a_deleted_name_is_understood(aws: Aws):
    """AWS says InvalidRequest where both emulators say that the secret exists; and it frees a name with a delay."""
    body = error_body("InvalidRequestException")
    with answered(aws.clients.secretsmanager, "CreateSecret", status=400, body=body), pytest.raises(Unavailable):
        aws.stores.vault.store(new_entry())


def test_what_aws_answers_to_another_value_under_one_token_is_understood(aws: Aws):
    """Both emulators take it."""
    first = new_entry()
    aws.stores.vault.store(first)
    body = error_body("ResourceExistsException")
    with answered(aws.clients.secretsmanager, "PutSecretValue", status=400, body=body), pytest.raises(AlreadyExists):
        aws.stores.vault.store(another(first))
