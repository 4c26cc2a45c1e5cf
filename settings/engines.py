"""What the operator's engines need of customers' accounts, besides what is published without them."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from providers.alicloud.permissions import REQUIRED, policy
from providers.aws.permissions import DROPPED, MAX_POLICY_CHARACTERS, READS_DATA, session_policy

MAX_PERMISSIONS = 200
UNFIT = "unfit_permissions"
"""The type of the errors that say which name is wrong, and why."""

FORMS = {
    "aws": r"[a-z0-9-]{2,40}:(?:BatchGet|Describe|Get|List|Lookup|Search)[A-Za-z0-9]{1,80}",
    "azure": r"Microsoft\.[A-Za-z0-9.]{2,60}(?:/[A-Za-z0-9]{1,60}){1,8}/read",
    "gcp": r"[a-z0-9]{2,40}(?:\.[A-Za-z0-9]{2,60}){1,3}\.(?:get|list|getIamPolicy)",
    "alicloud": r"[a-z0-9-]{2,40}:(?:Describe|Get|List|Query)[A-Za-z0-9]{1,80}",
    "oci": r"[A-Z][A-Z0-9_]{1,60}_(?:INSPECT|LIST|READ)",
    "ibm": r"[a-z0-9-]{2,60}:Viewer",
}
"""How each cloud names a permission that reads. None of them has a wildcard: behind that a cloud may put anything."""

DATA = {
    "aws": (
        *READS_DATA,
        *DROPPED,
        "*:Get*AuthorizationToken",
        "athena:GetNamedQuery",
        "athena:GetQueryExecution",
        "codeartifact:GetPackageVersionAsset",
        "cognito-identity:Get*",
        "connect:GetContact*",
        "dax:*",
        "glacier:GetJobOutput",
        "iot:GetThingShadow",
        "lightsail:GetContainerLog",
        "mediastore:GetObject",
        "polly:Get*",
        "rekognition:Get*",
        "s3:GetObject*",
        "ssm:Get*Execution",
        "ssm:Get*Invocation",
        "ssm:List*Invocations",
        "sts:Get*Token",
        "support:*",
        "textract:Get*",
        "workdocs:GetDocument*",
    ),
    "azure": (
        "*/appsettings/*",
        "*/blobs/*",
        "*/connectionstrings/*",
        "*/content/*",
        "*/deployments/*",
        "*/dicom/*",
        "*/entities/*",
        "*/fhir/*",
        "*/files/*",
        "*/histories/*",
        "*/hostruntime/*",
        "*/keyvalues/*",
        "*/logs/*",
        "*/masterkey/*",
        "*/messages/*",
        "*/output/*",
        "*/pull/*",
        "*/query/*",
        "*/querytexts/*",
        "*/readonlykeys/*",
        "*/results/*",
        "*/runcommands/*",
        "*/runs/*",
        "*/search/*",
        "*/secrets/*",
        "*/sharedkeys/*",
        "*/streams/*",
        "*/token/*",
        "*/variables/*",
    ),
    "gcp": (
        "aiplatform.dataitems.*",
        "appengine.versions.get",
        "appengine.versions.list",
        "bigquery.jobs.*",
        "bigquery.savedqueries.*",
        "cloudbuild.builds.*",
        "cloudfunctions.functions.get",
        "cloudfunctions.functions.list",
        "cloudscheduler.jobs.*",
        "cloudtasks.tasks.*",
        "cloudtrace.traces.*",
        "contactcenterinsights.*",
        "container.configmaps.*",
        "container.secrets.*",
        "datastore.entities.*",
        "dialogflow.*",
        "documentai.*",
        "firebasedatabase.*",
        "healthcare.*resources.*",
        "healthcare.*messages.*",
        "logging.*entries.*",
        "remotebuildexecution.*",
        "run.*.get",
        "run.*.list",
        "runtimeconfig.variables.*",
        "secretmanager.versions.*",
        "source.repos.get",
        "storage.objects.*",
        "workflows.executions.*",
    ),
    "alicloud": (
        "*:*kubeconfig*",
        "*:*message*",
        "*:*sqllog*",
        "*:*slowlog*",
        "*:describebackups",
        "apigateway:describeapp*",
        "cr:get*token",
        "cs:*cert*",
        "dysms:*",
        "ecs:*vnc*",
        "ecs:describecommands",
        "ecs:describeinvocation*",
        "ecs:describelaunchtemplateversions",
        "ecs:describesendfile*",
        "ecs:describeuserdata",
        "ecs:getinstance*",
        "fc:getfunction*",
        "fc:listfunctions",
        "kms:getsecretvalue*",
        "log:get*log*",
        "log:getcursor*",
        "log:gethistograms",
        "mns:*",
        "mse:get*config*",
        "oos:get*parameter*",
        "oos:getsecret*",
        "oos:listexecution*",
        "oss:getobject*",
        "ots:get*",
        "rds:describebinlogfiles",
        "ros:gettemplate*",
        "yundun-cert:*detail*",
    ),
    "oci": (
        "*_BUNDLE_READ",
        "*_CONTENT_READ",
        "*_ROWS_READ",
        "*AGENT_COMMAND*_READ",
        "*ARTIFACT_READ",
        "*CERTIFICATE_READ",
        "*CONSOLE_HISTOR*_READ",
        "*FUNCTION_READ",
        "*MESSAGE*_READ",
        "*OBJECT_READ",
        "*REPOSITORY_READ",
        "*WALLET*",
        "ORM_*_READ",
        "STREAM_READ",
    ),
    "ibm": ("billing:*", "schematics:*", "support:*"),
}
"""Those that read what a customer keeps, or secrets among settings, without regard to case. Data actions of Azure are
never granted at all."""


def _permissions_of(cloud: str, text: str) -> str:
    names = _split(text)
    if not 0 < len(names) <= MAX_PERMISSIONS:
        raise _unfit(f"It holds {len(names)} names, where 1 to {MAX_PERMISSIONS} are allowed.")
    for place, name in enumerate(names, start=1):
        if not re.fullmatch(FORMS[cloud], name):
            raise _unfit(f"Name {place} of it is none in full, or does more than read.")
        if any(fnmatchcase(name.lower(), data.lower()) for data in DATA[cloud]):
            raise _unfit(f"Name {place} of it reads data, or secrets among settings.")
    if len(_session_policy(cloud, names)) > MAX_POLICY_CHARACTERS:
        raise _unfit("It is too long for the policy of a session.")
    return text


def _session_policy(cloud: str, names: Sequence[str]) -> str:
    """What narrows an engine's session, where the cloud has that. Both give its policy as many characters."""
    match cloud:
        case "aws":
            return session_policy(names)
        case "alicloud":
            return policy([*REQUIRED, *names])
    return ""


def _unfit(sentence: str) -> PydanticCustomError:
    """The sentence never holds a name: what is in an environment is not echoed."""
    return PydanticCustomError(UNFIT, "{sentence}", {"sentence": sentence})


def _split(text: str) -> tuple[str, ...]:
    """The names, once each."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


class EngineSettings(BaseModel):
    aws_engine_permissions: Annotated[str, AfterValidator(partial(_permissions_of, "aws"))] | None = Field(
        None,
        description=(
            "what the engine that scans AWS needs besides the published permissions: actions in full with commas "
            "between, such as sns:ListTopics, that read no data; about 20 of them"
        ),
    )
    azure_engine_permissions: Annotated[str, AfterValidator(partial(_permissions_of, "azure"))] | None = Field(
        None,
        description=(
            "what the engine that scans Azure needs: actions in full that end in /read, with commas between, which "
            "read no data"
        ),
    )
    gcp_engine_permissions: Annotated[str, AfterValidator(partial(_permissions_of, "gcp"))] | None = Field(
        None,
        description=(
            "what the engine that scans GCP needs: permissions of projects that end in get, list or getIamPolicy, with "
            "commas between, which read no data"
        ),
    )
    alicloud_engine_permissions: Annotated[str, AfterValidator(partial(_permissions_of, "alicloud"))] | None = Field(
        None,
        description=(
            "what the engine that scans AliCloud needs: RAM actions in full, with commas between, such as "
            "ecs:DescribeDisks, which read no data; about 50 of them"
        ),
    )
    oci_engine_permissions: Annotated[str, AfterValidator(partial(_permissions_of, "oci"))] | None = Field(
        None,
        description=(
            "what the engine that scans OCI needs: permissions that end in INSPECT, LIST or READ, with commas between, "
            "which read no data"
        ),
    )
    ibm_engine_permissions: Annotated[str, AfterValidator(partial(_permissions_of, "ibm"))] | None = Field(
        None,
        description=(
            "what the engine that scans IBM Cloud needs: services with :Viewer, such as is:Viewer, with commas between"
        ),
    )

    @property
    def engine_permissions(self) -> Mapping[str, tuple[str, ...]]:
        """By cloud, for each."""
        return {cloud: _split(getattr(self, f"{cloud}_engine_permissions") or "") for cloud in FORMS}
