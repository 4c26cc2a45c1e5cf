"""Which engine scans which cloud."""

import pytest
from boto3.session import Session

from composition.scan_work import narrowers
from config import Settings
from domain.accounts import ProviderType
from domain.onboarding.credentials import Credential, Secret
from domain.scans.ports import Engines
from engines.aws.baseline import AwsBaseline
from engines.aws.scoped_session import AwsNarrower
from engines.aws.session import AwsSessions
from engines.http.engine import EngineAddress, HttpEngine
from engines.registry import engines_of
from providers.aws.provider import PlatformAws
from providers.engine_sessions import PassThrough
from stores.session import connect

PLATFORM = PlatformAws("111111111111", "ThreatEnginePlatform", "eu-west-1")
ADDRESSES = {ProviderType.GCP: EngineAddress("http://127.0.0.1:9", Secret("t0ken"))}
NARROWER = PassThrough()


@pytest.fixture
def engines() -> Engines:
    return engines_of(AwsSessions(PLATFORM, own=Session()), ADDRESSES, {ProviderType.GCP: NARROWER})


def test_aws_is_scanned_by_the_built_in_engine(engines: Engines):
    assert isinstance(engines.in_process(ProviderType.AWS), AwsBaseline)
    assert isinstance(engines.narrower(ProviderType.AWS), AwsNarrower)
    assert engines.outside(ProviderType.AWS) is None


def test_a_cloud_with_an_address_is_scanned_elsewhere(engines: Engines):
    assert isinstance(engines.outside(ProviderType.GCP), HttpEngine)
    assert engines.in_process(ProviderType.GCP) is None


def test_a_cloud_without_either_is_not_scanned(engines: Engines):
    assert engines.in_process(ProviderType.OCI) is None
    assert engines.outside(ProviderType.OCI) is None


def test_a_cloud_is_narrowed_by_what_was_handed_in(engines: Engines):
    assert engines.narrower(ProviderType.GCP) is NARROWER


def test_a_cloud_without_sessions_hands_its_credential_over(engines: Engines):
    stored = Credential("oci_user_principal", {"private_key": "k"})
    assert engines.narrower(ProviderType.OCI).narrow(stored, external_id="", execution_id="e1") is stored


def test_a_cloud_that_was_forgotten_hands_nothing_over(engines: Engines):
    with pytest.raises(LookupError):
        engines.narrower(ProviderType.AZURE)


def test_only_oci_is_without_a_narrower_of_its_own():
    aws = connect("eu-west-1", endpoint_url="http://127.0.0.1:9")
    engines = engines_of(
        AwsSessions(PLATFORM, own=aws.session), {}, narrowers(Settings(platform_aws_account_id="111111111111"), aws)
    )
    kinds = {cloud: type(engines.narrower(cloud)) for cloud in ProviderType}
    assert [cloud for cloud, kind in kinds.items() if kind is PassThrough] == [ProviderType.OCI]


def test_an_address_does_not_show_its_token():
    assert "t0ken" not in repr(ADDRESSES)
