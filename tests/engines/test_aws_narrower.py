"""The session that an engine elsewhere gets, on the emulator: what it may do, how long it lives."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from domain.errors import CredentialRefused, InvalidInput
from domain.onboarding.credentials import Credential
from domain.timestamps import parse
from engines.aws.scoped_session import AwsNarrower
from engines.aws.session import AwsSessions
from tests.engines.conftest import may_write, with_session
from tests.providers.aws_accounts import (
    EXTERNAL_ID,
    EmulatedAccount,
    allow,
    deny,
    key_credential,
    role_credential,
    trust_on,
)

pytestmark = pytest.mark.stack

EXECUTION = "3f2b1c64-9f0e-4a42-8a6b-0d3b5c7d9e1f"
EVERYTHING = allow("*")


def narrow(sessions: AwsSessions, credential: Credential, *, external_id: str = EXTERNAL_ID) -> Credential:
    return AwsNarrower(sessions).narrow(credential, external_id=external_id, execution_id=EXECUTION)


def lives(session: Credential) -> timedelta:
    return parse(session.reveal("expires_at")) - datetime.now(UTC)


def test_a_session_of_a_role_reads_settings_whatever_the_role_may_do(customer: EmulatedAccount, sessions: AwsSessions):
    session = narrow(sessions, role_credential(customer.role(trust_on(EXTERNAL_ID), EVERYTHING)))
    assert session.credential_type == "aws_session"
    assert timedelta(minutes=58) < lives(session) <= timedelta(hours=1)
    caller = with_session(customer, "sts", session).get_caller_identity()
    assert caller["Account"] == customer.number
    assert caller["Arn"].endswith(f"/te-scan-{EXECUTION}")
    assert with_session(customer, "ec2", session).describe_vpcs()["Vpcs"]
    assert with_session(customer, "iam", session).get_account_summary()["SummaryMap"]
    assert not may_write(customer, session)


def test_a_session_of_a_role_reads_no_data(customer: EmulatedAccount, sessions: AwsSessions):
    name = customer.client("secretsmanager").create_secret(Name="password", SecretString="s")["Name"]
    session = narrow(sessions, role_credential(customer.role(trust_on(EXTERNAL_ID), EVERYTHING)))
    with pytest.raises(ClientError, match="AccessDenied"):
        with_session(customer, "secretsmanager", session).get_secret_value(SecretId=name)


def test_a_role_that_cannot_be_assumed_is_refused(customer: EmulatedAccount, sessions: AwsSessions):
    role = role_credential(customer.role(trust_on(EXTERNAL_ID), EVERYTHING))
    with pytest.raises(CredentialRefused):
        narrow(sessions, role, external_id="te-another")


def test_a_key_that_may_federate_becomes_a_narrowed_session(customer: EmulatedAccount, sessions: AwsSessions):
    key_id, secret = customer.access_key(EVERYTHING)
    session = narrow(sessions, key_credential(key_id, secret))
    assert session.credential_type == "aws_session"
    assert session.reveal("secret_access_key") != secret
    assert timedelta(minutes=58) < lives(session) <= timedelta(hours=1)
    assert with_session(customer, "ec2", session).describe_vpcs()["Vpcs"]
    assert not may_write(customer, session)


def test_a_key_that_may_not_federate_becomes_a_session_that_may_do_what_the_user_may(
    customer: EmulatedAccount, sessions: AwsSessions
):
    key_id, secret = customer.access_key(EVERYTHING, deny("sts:GetFederationToken"))
    session = narrow(sessions, key_credential(key_id, secret))
    assert session.reveal("access_key_id") != key_id
    assert timedelta(minutes=58) < lives(session) <= timedelta(hours=1)
    assert may_write(customer, session)


def test_a_key_that_was_deleted_is_refused(customer: EmulatedAccount, sessions: AwsSessions):
    key_id, secret = customer.access_key(EVERYTHING)
    customer.client("iam").delete_access_key(UserName="scanner", AccessKeyId=key_id)
    with pytest.raises(CredentialRefused) as refusal:
        narrow(sessions, key_credential(key_id, secret))
    assert [problem.code for problem in refusal.value.problems] == ["unknown_key"]


def test_a_credential_of_another_cloud_makes_no_sense(sessions: AwsSessions):
    with pytest.raises(InvalidInput):
        narrow(sessions, Credential("gcp_service_account", {}))
