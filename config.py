"""The settings: read from the environment once, by the entry points, and never changed after.

Each field is an environment variable of the same name in capitals. Its description completes the sentence
"NAME must be …", which is shown when the value is missing or wrong and stands in `.env.example`. Temporal's
own variables and its profile file are read by `temporalio.envconfig`, so that the services and the
`temporal` program share one configuration.
"""

import os
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from temporalio.envconfig import ClientConfig

from domain.commands import UnsignedCommands
from providers.aws.role_names import ANY_ROLE_NAMES, ROLE_NAMES_PATTERN, RoleNames
from settings.engines import UNFIT, EngineSettings
from settings.http import HttpSettings
from settings.oidc import TOGETHER, OidcSettings
from settings.secret_values import (
    ALICLOUD_KEY,
    SECRETS,
    TEMPORAL_API_KEY,
    secret_values,
    unneeded,
)
from settings.secret_values import SettingsError as SettingsError
from settings.tables import TableSettings

Text = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,2048}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]{1,2000}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
RoleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}$")]
CustomerRoleNames = Annotated[str, StringConstraints(pattern=ROLE_NAMES_PATTERN, max_length=512)]
IpAndPort = Annotated[str, StringConstraints(pattern=r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|\[[0-9a-fA-F:]+\]):[0-9]{1,5}$")]
IssuerUrl = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$")]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
AccessKeyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{16,64}$")]
RamUserArn = Annotated[str, StringConstraints(pattern=r"^acs:ram::[0-9]{5,20}:user/[A-Za-z0-9._-]{1,64}$")]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _looks_like_a_secret(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9]{30,128}", secret.get_secret_value()):
        raise ValueError
    return secret


AccessKeySecret = Annotated[SecretStr, AfterValidator(_looks_like_a_secret)]


def _fits_a_header(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]{1,4096}=*", token.get_secret_value()):
        raise ValueError
    return token


BearerToken = Annotated[SecretStr, AfterValidator(_fits_a_header)]
"""As RFC 6750 has it."""

VERSION = "0.1.0"

ENGINE_CLOUDS = ("aws", "azure", "gcp", "alicloud", "oci", "ibm")

ALICLOUD = (*ALICLOUD_KEY, "alicloud_principal_arn")
"""All of them or none, for who proves a RAM role of a customer's. To offer roles, the ARN is enough."""

TEMPORAL_ADDRESS = re.compile(r"[!-~]+:[0-9]{1,5}")


class Buckets(NamedTuple):
    """The names of the S3 buckets."""

    results: str
    anchors: str


def default_buckets(account_number: str, region: str) -> Buckets:
    """Return the names without settings. The names of all buckets in the world differ, so they hold account and
    region."""
    return Buckets(
        results=f"threat-engine-results-{account_number}-{region}",
        anchors=f"threat-engine-audit-anchors-{account_number}-{region}",
    )


class Settings(HttpSettings, OidcSettings, TableSettings, EngineSettings, BaseSettings):
    """Every setting. A variable that is set to nothing counts as not set."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    aws_region: Region = Field("ap-south-1", description="the AWS region of this deployment")
    aws_endpoint_url: Url | None = Field(
        None, description="the http(s) address of a stand-in for our AWS, in development only"
    )
    customer_aws_endpoint_url: Url | None = Field(
        None, description="the http(s) address of a stand-in for the customers' AWS, in development only"
    )
    customer_clouds_address: IpAndPort | None = Field(
        None, description="the IP address and port of a stand-in for the customers' other clouds, in development only"
    )
    clouds_ca_file: Text | None = Field(
        None, description="the path of a PEM file with the authorities to trust in calls of the customers' other clouds"
    )
    platform_aws_account_id: AccountNumber = Field(description="the 12-digit number of the platform's AWS account")
    platform_role_name: RoleName = Field(
        "threat-engine-onboarding", description="the name of the role that workers run as and customers trust"
    )
    customer_role_names: CustomerRoleNames = Field(
        ANY_ROLE_NAMES,
        description="how the names of customers' roles begin, 4 to 40 characters and `*`, in any path or after the one "
        "path that it names, as in `/security/ThreatEngine*`; no other role may be assumed",
    )
    cloudformation_template_url: Url | None = Field(
        None, description="the S3 address of the published template; without it there is no quick-create link"
    )
    alicloud_access_key_id: AccessKeyId | None = Field(
        None, description="the AccessKey ID of the platform's RAM user, of 16 or more letters and digits"
    )
    alicloud_access_key_secret: AccessKeySecret | None = Field(
        None, description="the AccessKey secret of the platform's RAM user, of 30 or more letters and digits"
    )
    alicloud_principal_arn: RamUserArn | None = Field(
        None, description="the ARN of the platform's RAM user, acs:ram::<account ID>:user/<name>"
    )

    secrets_manager_prefix: Text = Field("threat-engine", description="the first part of the secrets' names")
    secrets_manager_kms_key_id: Text = Field(
        "alias/threat-engine-secrets", description="the KMS key that seals and stores credentials"
    )
    digests_kms_key_id: Text = Field(
        "alias/threat-engine-digests", description="the KMS key for the digests of request bodies"
    )
    audit_kms_key_id: Text = Field(
        "alias/threat-engine-audit", description="the KMS key that signs the digests of the audit trail"
    )
    commands_kms_key_id: Text = Field(
        "alias/threat-engine-commands", description="the KMS key that commands through Temporal are signed with"
    )
    unsigned_commands: UnsignedCommands = Field(
        UnsignedCommands.REFUSE,
        description="refuse or count: what becomes of commands without a signature; count while an older release ends",
    )
    identity_issuer_url: IssuerUrl | None = Field(
        None, description="the https address, without a path, at which the clouds reach this API to check our tokens"
    )
    identity_kms_key_id: Text = Field(
        "alias/threat-engine-identity", description="the KMS key that signs the tokens of our identity provider"
    )

    validate_wait_seconds: int = Field(
        25, ge=1, le=60, description="the seconds that a verdict is waited for before the answer is 202, 1 to 60"
    )

    onboarding_deadline_days: int = Field(
        7, ge=1, le=90, description="the days that a customer has for a working credential, 1 to 90"
    )
    onboarding_max_attempts: int = Field(
        10, ge=1, le=100, description="the number of refused credentials that ends an onboarding, 1 to 100"
    )
    onboarding_late_write_seconds: int = Field(
        60, ge=0, le=3600, description="the seconds after its end when an onboarding cleans up once more, 0 to 3600"
    )
    provider_patience_seconds: int = Field(
        600, ge=1, le=86400, description="the seconds that a cloud may be out of order in a validation, 1 to 86400"
    )

    results_bucket: BucketName | None = Field(
        None, description="the S3 bucket of scan results; by default its name is made of account and region"
    )
    audit_anchors_bucket: BucketName | None = Field(
        None,
        description="the S3 bucket of the audit anchors; by default its name is made of account and region",
    )
    schedule_min_interval_seconds: int = Field(
        3600, ge=60, le=86400, description="the seconds between two scans of a schedule at least, 60 to 86400"
    )
    schedule_jitter_seconds: int = Field(
        300, ge=0, le=3600, description="the seconds over which schedules of one time are spread, 0 to 3600"
    )
    schedule_catch_up_seconds: int = Field(
        3600, ge=60, le=86400, description="the seconds that a scan may start late after an outage, 60 to 86400"
    )
    schedule_pause_after_failures: int = Field(
        5, ge=1, le=1000, description="the number of failed scans in a row that pauses a schedule, 1 to 1000"
    )
    reconcile_interval_seconds: int = Field(
        900, ge=60, le=86400, description="the seconds between two comparisons of all schedules, 60 to 86400"
    )
    audit_seal_interval_seconds: int = Field(
        60, ge=60, le=600, description="the seconds between two sealings of the audit trail, 60 to 600"
    )
    engine_scan_poll_interval_seconds: int = Field(
        10, ge=1, le=300, description="the seconds between two looks at an engine, 1 to 300"
    )
    engine_scan_max_wait_seconds: int = Field(
        3600, ge=60, le=86400, description="the seconds that a scan may take, 60 to 86400"
    )
    aws_engine_url: Url | None = Field(None, description="the http(s) address of an engine that scans AWS")
    azure_engine_url: Url | None = Field(None, description="the http(s) address of an engine that scans Azure")
    gcp_engine_url: Url | None = Field(None, description="the http(s) address of an engine that scans GCP")
    alicloud_engine_url: Url | None = Field(None, description="the http(s) address of an engine that scans AliCloud")
    oci_engine_url: Url | None = Field(None, description="the http(s) address of an engine that scans OCI")
    ibm_engine_url: Url | None = Field(None, description="the http(s) address of an engine that scans IBM Cloud")
    aws_engine_token: BearerToken | None = Field(None, description="the bearer token for the engine that scans AWS")
    azure_engine_token: BearerToken | None = Field(None, description="the bearer token for the engine that scans Azure")
    gcp_engine_token: BearerToken | None = Field(None, description="the bearer token for the engine that scans GCP")
    alicloud_engine_token: BearerToken | None = Field(
        None, description="the bearer token for the engine that scans AliCloud"
    )
    oci_engine_token: BearerToken | None = Field(None, description="the bearer token for the engine that scans OCI")
    ibm_engine_token: BearerToken | None = Field(
        None, description="the bearer token for the engine that scans IBM Cloud"
    )
    scans_concurrency: int = Field(
        10, ge=1, le=200, description="the number of steps of scans that a worker runs at once, 1 to 200"
    )

    worker_concurrency: int = Field(
        20, ge=1, le=200, description="the number of steps that a worker runs at once, 1 to 200"
    )
    log_level: LogLevel = Field("INFO", description="one of DEBUG, INFO, WARNING and ERROR")
    metrics_address: IpAndPort | None = Field(
        None, description="the IP address and port that a process serves metrics on, such as 127.0.0.1:9464"
    )
    traces_endpoint: Url | None = Field(
        None, description="the http(s) address that traces are sent to, such as http://127.0.0.1:4318/v1/traces"
    )

    @classmethod
    def from_environment(cls, secrets: Collection[str] = ()) -> Self:
        """With the secrets that are named, and without all others. Raises SettingsError."""
        return cls._checked(secrets, dict.fromkeys(SECRETS) | secret_values(secrets, os.environ))

    @classmethod
    def _checked(cls, secrets: Collection[str], values: Mapping[str, Any]) -> Self:
        try:
            settings = cls(**values)
        except ValidationError as failure:
            sentences = [_refusal(str(error["loc"][0]), error["type"], error["msg"]) for error in failure.errors()]
        else:
            groups = (ALICLOUD, *TOGETHER) if set(ALICLOUD_KEY) <= set(secrets) else TOGETHER
            sentences = [_sentence(name, "missing") for group in groups for name in settings._lacks(group)]
            # Customers are not asked for what nobody uses.
            idle = [cloud for cloud, needs in settings.engine_permissions.items() if needs]
            sentences += [_sentence(f"{one}_engine_url", "missing") for one in idle if one not in settings.engine_urls]
            # A customer that names our own role must not have it assumed.
            if settings.platform_role_name.startswith(RoleNames(settings.customer_role_names).prefix):
                sentences.append("CUSTOMER_ROLE_NAMES has a wrong value: PLATFORM_ROLE_NAME must not begin like that.")
            if not sentences:
                return settings
        raise SettingsError("\n".join(sentences))

    def _lacks(self, group: Sequence[str]) -> list[str]:
        """What is missing of settings that only make sense together."""
        missing = [name for name in group if getattr(self, name) is None]
        return missing if len(missing) < len(group) else []

    @property
    def buckets(self) -> Buckets:
        names = default_buckets(self.platform_aws_account_id, self.aws_region)
        return Buckets(self.results_bucket or names.results, self.audit_anchors_bucket or names.anchors)

    @property
    def engine_urls(self) -> Mapping[str, str]:
        """By cloud, for those that have one."""
        urls = {cloud: getattr(self, f"{cloud}_engine_url") for cloud in ENGINE_CLOUDS}
        return {cloud: url for cloud, url in urls.items() if url}

    @property
    def engine_tokens(self) -> Mapping[str, SecretStr]:
        """By cloud, for those that have one."""
        tokens = {cloud: getattr(self, f"{cloud}_engine_token") for cloud in ENGINE_CLOUDS}
        return {cloud: token for cloud, token in tokens.items() if token}


class GivenSettings(Settings):
    """Settings of which the code gives what is not the default. Nothing is read from the environment."""

    @classmethod
    def of(cls, **values: object) -> Self:
        """Raises SettingsError."""
        return cls._checked((), values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@dataclass(frozen=True)
class TemporalConnection:
    """How to reach Temporal. `options` are further ones of `Client.connect`: API key, TLS, metadata."""

    address: str
    namespace: str
    options: Mapping[str, Any] = field(default_factory=dict)


def temporal_connection() -> TemporalConnection:
    """Raises SettingsError."""
    key = secret_values([TEMPORAL_API_KEY], os.environ)[TEMPORAL_API_KEY]
    variables = {**os.environ, TEMPORAL_API_KEY.upper(): key} if key else dict(os.environ)
    try:
        found: dict[str, Any] = dict(ClientConfig.load_client_connect_config(override_env_vars=variables))
    except (OSError, RuntimeError, ValueError):
        # The message of the cause quotes what was read.
        raise SettingsError(
            "A TEMPORAL_* variable, or the profile file it names, cannot be used; compare `temporal config list`."
        ) from None
    address = found.pop("target_host", "localhost:7233")
    if not TEMPORAL_ADDRESS.fullmatch(address):
        raise SettingsError("TEMPORAL_ADDRESS has a wrong value: it must be a host and a port, as in localhost:7233.")
    return TemporalConnection(address, found.pop("namespace", "default"), found)


def load(secrets: Collection[str] = ()) -> tuple[Settings, TemporalConnection]:
    """The settings of a process that is about to start, with the secrets that it needs. A wrong one ends it with its
    sentence and exit code 2."""
    try:
        return Settings.from_environment(secrets), temporal_connection()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def secrets_not_needed(secrets: Collection[str]) -> list[str]:
    """Return the variables of this process's environment that hold a secret which only another process needs."""
    return unneeded(secrets, os.environ)


def _refusal(name: str, kind: str, said: str) -> str:
    """Only what our own check says is told: pydantic's messages may hold the value."""
    sentence = _sentence(name, kind)
    return f"{sentence} {said}" if kind == UNFIT else sentence


def _sentence(name: str, kind: str) -> str:
    problem = "is missing" if kind == "missing" else "has a wrong value"
    return f"{name.upper()} {problem}: it must be {Settings.model_fields[name].description}."
