"""What the operator's engines need of customers' accounts, besides what is published without them."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from providers.aws_permissions import MAX_POLICY_CHARACTERS, READS_DATA, session_policy

MAX_PERMISSIONS = 200

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
    "aws": READS_DATA,
    "azure": ("*/secrets/read", "*/blobs/read", "*/messages/read", "*/entities/read", "*/query/*", "*/runs/*"),
    "gcp": ("storage.objects.*", "datastore.entities.*", "logging.*Entries.*", "secretmanager.versions.*"),
    "alicloud": ("oss:GetObject*", "kms:GetSecretValue*", "log:GetLog*", "oos:GetSecret*", "ots:Get*", "mns:*"),
    "oci": ("OBJECT_READ", "SECRET_BUNDLE_READ", "LOG_CONTENT_READ", "STREAM_READ", "*_ROWS_READ"),
    "ibm": (),
}
"""Those that read what a customer keeps, or secrets among settings. Data actions of Azure are never granted at all."""


def _permissions_of(cloud: str, text: str) -> str:
    names = _split(text)
    if not 0 < len(names) <= MAX_PERMISSIONS:
        raise ValueError
    for name in names:
        if not re.fullmatch(FORMS[cloud], name) or any(fnmatchcase(name.lower(), data.lower()) for data in DATA[cloud]):
            raise ValueError
    if cloud == "aws" and len(session_policy(names)) > MAX_POLICY_CHARACTERS:
        raise ValueError
    return text


def _split(text: str) -> tuple[str, ...]:
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
            "ecs:DescribeDisks, which read no data"
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
        description="what the engine that scans IBM Cloud needs: services with :Viewer, such as is:Viewer, with commas",
    )

    @property
    def engine_permissions(self) -> Mapping[str, tuple[str, ...]]:
        """By cloud, for each."""
        return {cloud: _split(getattr(self, f"{cloud}_engine_permissions") or "") for cloud in FORMS}
