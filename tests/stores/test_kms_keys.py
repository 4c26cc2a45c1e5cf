"""ensure_keys: what it makes, finds, repairs and refuses. Each test has an AWS account of its own."""

from itertools import count

import pytest
from boto3.session import Session
from mypy_boto3_kms import KMSClient

from domain.errors import PlatformConfig
from domain.setup import SetupFinding, SetupState
from emulators.ministack import REGION
from stores.kms.keys import IDENTITY_KEY, ensure_keys
from stores.s3.buckets import RESULTS_KEY
from tests.stores.conftest import DIGESTS_KEY, SECRETS_KEY

_numbers = count(300000000001)


@pytest.fixture
def kms(ministack_url: str) -> KMSClient:
    session = Session(str(next(_numbers)), "secret", region_name=REGION)
    return session.client("kms", endpoint_url=ministack_url)


pytestmark = pytest.mark.stack


def test_both_keys_are_made_of_their_kind(kms: KMSClient):
    assert {found.state for found in ensure_keys(kms)} == {SetupState.CREATED}
    kinds = [kms.describe_key(KeyId=alias)["KeyMetadata"]["KeySpec"] for alias in (SECRETS_KEY, DIGESTS_KEY)]
    assert kinds == ["SYMMETRIC_DEFAULT", "HMAC_256"]


def test_the_key_for_secrets_rotates_every_year(kms: KMSClient):
    ensure_keys(kms)
    rotation = kms.get_key_rotation_status(KeyId=SECRETS_KEY)
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 365)


def test_a_second_run_finds_all(kms: KMSClient):
    ensure_keys(kms)
    before = kms.list_keys()["Keys"]
    assert ensure_keys(kms) == (
        SetupFinding(f"key {SECRETS_KEY}", SetupState.FOUND),
        SetupFinding(f"key {RESULTS_KEY}", SetupState.FOUND),
        SetupFinding(f"key {DIGESTS_KEY}", SetupState.FOUND),
        SetupFinding("key alias/threat-engine-commands", SetupState.FOUND),
        SetupFinding("key alias/threat-engine-audit", SetupState.FOUND),
    )
    assert kms.list_keys()["Keys"] == before


def test_an_identity_provider_has_a_key_pair_of_its_own(kms: KMSClient):
    ensure_keys(kms)
    assert IDENTITY_KEY not in {alias["AliasName"] for alias in kms.list_aliases()["Aliases"]}
    assert ensure_keys(kms, identity=True)[-1] == SetupFinding(f"key {IDENTITY_KEY}", SetupState.CREATED)
    found = kms.describe_key(KeyId=IDENTITY_KEY)["KeyMetadata"]
    assert (found["KeySpec"], found["KeyUsage"]) == ("RSA_2048", "SIGN_VERIFY")
    assert ensure_keys(kms, identity=True)[-1].state is SetupState.FOUND


def test_rotation_that_is_off_is_turned_on(kms: KMSClient):
    ensure_keys(kms)
    key_id = kms.describe_key(KeyId=SECRETS_KEY)["KeyMetadata"]["KeyId"]
    kms.disable_key_rotation(KeyId=key_id)
    assert ensure_keys(kms)[0] == SetupFinding(f"key {SECRETS_KEY}", SetupState.REPAIRED, "yearly rotation")
    assert kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def test_a_disabled_key_is_named_and_stays_disabled(kms: KMSClient):
    ensure_keys(kms)
    kms.disable_key(KeyId=kms.describe_key(KeyId=DIGESTS_KEY)["KeyMetadata"]["KeyId"])
    with pytest.raises(PlatformConfig, match=DIGESTS_KEY):
        ensure_keys(kms)


def test_an_alias_that_leads_to_a_key_of_another_kind_is_named(kms: KMSClient):
    kms.create_alias(AliasName=DIGESTS_KEY, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    with pytest.raises(PlatformConfig, match="HMAC_256"):
        ensure_keys(kms)
