"""`python cli.py policies`: write the policies of this deployment."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import config
from commands.policies.keys import key_policies
from commands.policies.place import API_ROLE, Place
from commands.policies.roles import PROCESSES, role_policy, trust_policies
from providers.aws.role_names import RoleNames
from providers.aws.setup import template_with

TEMPLATE = "customers/aws_role_template.json"
"""What customers of AWS deploy, with what an engine of the operator's needs."""

Into = Annotated[Path, typer.Option(help="The folder to write them into. It is made if it is missing.")]
ApiRole = Annotated[str, typer.Option(help="The name of the role that the API runs as.")]


def policies(into: Into = Path("build/aws"), api_role: ApiRole = API_ROLE) -> None:
    """Write the IAM and key policies, the selectors of CloudTrail and the template that customers deploy, for the
    settings of this environment."""
    settings, _ = config.load()
    template = template_with({}, RoleNames(settings.customer_role_names), settings.engine_permissions["aws"])
    for name, text in {**rendered(Place(settings, api_role)), TEMPLATE: f"{template}\n"}.items():
        file = into / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"written   {file}")


def rendered(place: Place) -> dict[str, str]:
    """The text of each file, by its path."""
    documents: dict[str, Any] = {
        **{f"iam/{process}.json": role_policy(process, place) for process in PROCESSES},
        **{f"iam/{name}.json": trust for name, trust in trust_policies(place).items()},
        **{f"kms/{name}.json": policy for name, policy in key_policies(place).items()},
        "cloudtrail/selectors.json": _selectors(place),
    }
    return {name: f"{json.dumps(document, indent=2)}\n" for name, document in documents.items()}


def _selectors(place: Place) -> list[dict[str, Any]]:
    """Who used which key, and who changed the audit trail."""
    names = place.settings.tables
    trail = [place.table(name) for name in (names.audit_events, names.audit_unsealed, names.audit_digests)]
    return [
        {
            "Name": "Management events, those of KMS among them",
            "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
        },
        {
            "Name": "Changes of audit events",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::DynamoDB::Table"]},
                {"Field": "readOnly", "Equals": ["false"]},
                {"Field": "resources.ARN", "Equals": trail},
            ],
        },
    ]
