"""Which engine scans which cloud."""

import pytest

from domain.accounts import ProviderType
from domain.credentials import Credential, Secret
from domain.scan_ports import Engines
from engines.aws_baseline import AwsBaseline
from engines.aws_narrower import AwsNarrower
from engines.aws_session import AwsSessions
from engines.http_engine import EngineAddress, HttpEngine
from engines.registry import Registry, engines_of
from providers.aws import PlatformAws

PLATFORM = PlatformAws("111111111111", "ThreatEnginePlatform", "eu-west-1")
ADDRESSES = {ProviderType.GCP: EngineAddress("http://127.0.0.1:9", Secret("t0ken"))}


@pytest.fixture
def engines() -> Engines:
    return engines_of(AwsSessions(PLATFORM), ADDRESSES)


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


def test_a_cloud_that_cannot_narrow_hands_its_credential_over():
    stored = Credential("gcp_service_account", {"service_account_json": "{}"})
    narrower = Registry({}, {}, {}).narrower(ProviderType.GCP)
    assert narrower.narrow(stored, external_id="", execution_id="e1") is stored


def test_an_address_does_not_show_its_token():
    assert "t0ken" not in repr(ADDRESSES)
