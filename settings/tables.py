"""The settings that name our tables. A part of `config.Settings`, with the same rules."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from stores.dynamodb.tables import TableNames

TableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{3,255}$")]


class TableSettings(BaseModel):
    dynamodb_tenants_table: TableName = Field("threat-engine-tenants", description="the name of the tenants' table")
    dynamodb_providers_table: TableName = Field(
        "threat-engine-providers", description="the name of the providers' table"
    )
    dynamodb_accounts_table: TableName = Field("threat-engine-accounts", description="the name of the accounts' table")
    dynamodb_schedules_table: TableName = Field(
        "threat-engine-schedules", description="the name of the schedules' table"
    )
    dynamodb_executions_table: TableName = Field(
        "threat-engine-executions", description="the name of the executions' table"
    )
    dynamodb_scan_results_table: TableName = Field(
        "threat-engine-scan-results", description="the name of the scan results' table"
    )
    dynamodb_api_keys_table: TableName = Field("threat-engine-api-keys", description="the name of the API keys' table")
    dynamodb_audit_events_table: TableName = Field(
        "threat-engine-audit-events", description="the name of the audit events' table"
    )
    dynamodb_audit_unsealed_table: TableName = Field(
        "threat-engine-audit-unsealed", description="the name of the table of audit events that wait to be sealed"
    )
    dynamodb_audit_digests_table: TableName = Field(
        "threat-engine-audit-digests", description="the name of the audit digests' table"
    )
    dynamodb_idempotency_table: TableName = Field(
        "threat-engine-idempotency", description="the name of the idempotency records' table"
    )

    @property
    def tables(self) -> TableNames:
        return TableNames(
            tenants=self.dynamodb_tenants_table,
            providers=self.dynamodb_providers_table,
            accounts=self.dynamodb_accounts_table,
            schedules=self.dynamodb_schedules_table,
            executions=self.dynamodb_executions_table,
            scan_results=self.dynamodb_scan_results_table,
            api_keys=self.dynamodb_api_keys_table,
            audit_events=self.dynamodb_audit_events_table,
            audit_unsealed=self.dynamodb_audit_unsealed_table,
            audit_digests=self.dynamodb_audit_digests_table,
            idempotency=self.dynamodb_idempotency_table,
        )
