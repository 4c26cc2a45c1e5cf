"""Hypothesis strategies for values of the domain."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from domain.audit.events import Origin
from domain.onboarding.credentials import Credential, SealContext, SealPurpose
from domain.onboarding.validation import Step, StepStatus
from domain.timestamps import stamp

ids = st.uuids(version=4).map(str)

# What JSON can carry and UTF-8 can encode; the API refuses the rest before it comes here.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)

moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
stamps = moments.map(stamp)

offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))

credentials = st.builds(
    Credential,
    st.sampled_from(["aws_iam_role", "aws_access_key"]),
    st.dictionaries(st.sampled_from(["role_arn", "secret_access_key", "private_key"]), texts, min_size=1),
)

seal_contexts = st.builds(
    SealContext, tenant_id=ids, account_id=ids, submission_id=ids, purpose=st.sampled_from(SealPurpose)
)

origins = st.builds(Origin, actor=st.sampled_from(["cli", "system", "key:0123456789abcdef"]), request_id=ids)

steps = st.builds(
    Step,
    name=st.sampled_from(["shape", "assume", "permissions"]),
    status=st.sampled_from(StepStatus),
    code=st.sampled_from(["ok", "access_denied"]),
    message=texts,
    remedy=st.none() | texts,
    missing_permissions=st.lists(st.sampled_from(["s3:ListAllMyBuckets", "ec2:DescribeInstances"])).map(tuple),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
