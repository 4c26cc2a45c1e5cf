"""The DynamoDB tables, as data, and the set-up that makes them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.setup import SetupFinding
from stores.dynamodb.adoption import refuse_the_predecessors
from stores.dynamodb.table_setup import Index, TableDefinition, complete, create_if_missing
from stores.errors import aws_failures

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACCOUNTS_BY_ID = "tenant-accounts-by-id-index"
ACCOUNTS_BY_STATUS = "tenant-accounts-index"
API_KEYS_BY_ID = "key-id-index"
SCHEDULES_BY_TENANT = "tenant-schedules-index"
SCHEDULES_BY_ACCOUNT = "account-schedules-index"
EXECUTIONS_BY_SCHEDULE = "schedule-executions-index"
EXECUTIONS_BY_ACCOUNT = "account-executions-index"
RESULTS_BY_ACCOUNT = "account-scans-index"


@dataclass(frozen=True)
class TableNames:
    tenants: str = "threat-engine-tenants"
    providers: str = "threat-engine-providers"
    accounts: str = "threat-engine-accounts"
    schedules: str = "threat-engine-schedules"
    executions: str = "threat-engine-executions"
    scan_results: str = "threat-engine-scan-results"
    api_keys: str = "threat-engine-api-keys"
    audit_events: str = "threat-engine-audit-events"
    audit_unsealed: str = "threat-engine-audit-unsealed"
    audit_digests: str = "threat-engine-audit-digests"
    idempotency: str = "threat-engine-idempotency"


def definitions(names: TableNames) -> tuple[TableDefinition, ...]:
    return (
        TableDefinition(names.tenants, ("tenant_id",), (Index("tenant-name-index", ("tenant_name",)),)),
        TableDefinition(
            names.providers,
            ("provider_id",),
            (Index("tenant-provider-index", ("tenant_id", "provider_type")),),
        ),
        TableDefinition(
            names.accounts,
            ("account_id",),
            (
                Index(ACCOUNTS_BY_STATUS, ("tenant_id", "status")),
                Index("provider-accounts-index", ("provider_id", "status")),
                Index(ACCOUNTS_BY_ID, ("tenant_id", "account_id")),
            ),
        ),
        TableDefinition(
            names.schedules,
            ("schedule_id",),
            (
                Index(SCHEDULES_BY_TENANT, ("tenant_id", "schedule_id")),
                Index(SCHEDULES_BY_ACCOUNT, ("account_id", "schedule_id")),
            ),
        ),
        TableDefinition(
            names.executions,
            ("execution_id",),
            (
                Index(EXECUTIONS_BY_SCHEDULE, ("schedule_id", "started_at")),
                Index(EXECUTIONS_BY_ACCOUNT, ("account_id", "started_at")),
            ),
        ),
        TableDefinition(names.scan_results, ("scan_id",), (Index(RESULTS_BY_ACCOUNT, ("account_id", "started_at")),)),
        TableDefinition(names.api_keys, ("tenant_id", "key_id"), (Index(API_KEYS_BY_ID, ("key_id",)),)),
        TableDefinition(names.audit_events, ("tenant_id", "event_id")),
        TableDefinition(names.audit_unsealed, ("tenant_id", "event_id")),
        TableDefinition(names.audit_digests, ("tenant_id", "sequence")),
        TableDefinition(names.idempotency, ("tenant_id", "record_id"), expires_by="expires_at"),
    )


@aws_failures()
def ensure_tables(dynamodb: "DynamoDBClient", names: TableNames) -> tuple[SetupFinding, ...]:
    """Make what is missing, repair what is not as it should be, wait until all is usable. Safe to repeat, also after
    a run that broke off. Raises PlatformConfig for a table or an index that has another key, and before anything is
    done for a table with rows of the predecessor."""
    refuse_the_predecessors(dynamodb, names)
    tables = definitions(names)
    created = {table.name for table in tables if create_if_missing(dynamodb, table)}
    return tuple(complete(dynamodb, table, created=table.name in created) for table in tables)
