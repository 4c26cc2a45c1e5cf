"""Scan results: the findings as one object in S3, their counts and where they are as a row."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from domain.errors import NotFound
from domain.pages import Page
from domain.scans.finding_lives import Knowledge, dumps, loads, tell
from domain.scans.scan import CheckStatus, Counts, Finding, ScanOrder, ScanResult, StoredResult
from stores.dynamodb.items import Row, expressions, from_item, is_id, to_item
from stores.dynamodb.paging import Listing, page_of
from stores.dynamodb.schedule_rows import RESULTS, result_to_row
from stores.dynamodb.tables import RESULTS_BY_ACCOUNT, TableNames
from stores.errors import aws_failures
from stores.reading import owner_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

LINK_SECONDS = 300


class S3ResultStore:
    """The object is written before the row, so that a row always leads to one. The bucket's own settings encrypt it."""

    def __init__(self, s3: "S3Client", dynamodb: "DynamoDBClient", names: TableNames, *, bucket: str) -> None:
        self._s3 = s3
        self._dynamodb = dynamodb
        self._table = names.scan_results
        self._bucket = bucket

    @aws_failures()
    def write(
        self, order: ScanOrder, findings: Sequence[Finding], *, started_at: str, completed_at: str, engine: str = ""
    ) -> StoredResult:
        folder = f"{order.tenant_id}/{order.account_id}"
        key, known_key = f"{folder}/{order.execution_id}.json", f"{folder}/known-{engine or 'any'}.json"
        before = self._known(known_key, order.execution_id)
        events, after = tell(findings, order, before, at=completed_at)
        self._put_object(key, events)
        result = ScanResult(
            scan_id=order.execution_id,
            tenant_id=order.tenant_id,
            account_id=order.account_id,
            provider_type=order.provider_type,
            started_at=started_at,
            completed_at=completed_at,
            location=f"s3://{self._bucket}/{key}",
            counts=_counts(findings),
        )
        self._put(result)
        # Last, and with what was known before, so that whoever repeats this tells the same.
        self._put_object(known_key, {"scan_id": order.execution_id, "before": dumps(before), "after": dumps(after)})
        return StoredResult(result.location, result.counts)

    @aws_failures()
    def get(self, tenant_id: str, scan_id: str) -> ScanResult:
        row = self._row(scan_id)
        if row.get("tenant_id") != tenant_id:
            raise NotFound
        return RESULTS.one(row)

    @aws_failures()
    def tenant_of(self, scan_id: str) -> str:
        return owner_of(self._row(scan_id))

    @aws_failures()
    def page(self, tenant_id: str, *, account_id: str, limit: int, cursor: str | None) -> Page[ScanResult]:
        if not is_id(account_id) or not is_id(tenant_id):
            return Page(())
        listing = Listing(
            self._table,
            RESULTS_BY_ACCOUNT,
            {"account_id": account_id},
            {"tenant_id": tenant_id},
            ("started_at", "scan_id"),
            newest_first=True,
        )
        return page_of(self._dynamodb, listing, RESULTS, limit=limit, cursor=cursor)

    @aws_failures()
    def link(self, result: ScanResult) -> str:
        """Signed here, without a call, by whoever asks: it works as far as that one's own permissions go."""
        bucket, _, key = result.location.removeprefix("s3://").partition("/")
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=LINK_SECONDS
        )

    def _known(self, key: str, scan_id: str) -> Knowledge:
        """What was known before this scan; nothing when nothing can be read, and then every problem is a new one."""
        try:
            kept = json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
            return loads(kept["before" if kept["scan_id"] == scan_id else "after"])
        except ClientError as error:
            # S3 denies what is not there to a role that may not list the bucket.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
                raise
        except (LookupError, TypeError, ValueError):
            pass
        return {}

    def _put_object(self, key: str, content: object) -> None:
        body = json.dumps(content).encode()
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def _put(self, result: ScanResult) -> None:
        condition = expressions(
            {"tenant_id": result.tenant_id},
            ConditionExpression="attribute_not_exists(#scan_id) OR #tenant_id = :tenant_id",
        )
        try:
            self._dynamodb.put_item(TableName=self._table, Item=to_item(result_to_row(result)), **condition)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            raise NotFound from None

    def _row(self, scan_id: str) -> Row:
        if not is_id(scan_id):
            raise NotFound
        answer = self._dynamodb.get_item(TableName=self._table, Key=to_item({"scan_id": scan_id}), ConsistentRead=True)
        if "Item" not in answer:
            raise NotFound
        return from_item(answer["Item"])


def _counts(findings: Sequence[Finding]) -> Counts:
    by_status = Counter(finding.status for finding in findings)
    return Counts(
        total=len(findings),
        passed=by_status[CheckStatus.PASS],
        failed=by_status[CheckStatus.FAIL],
        errors=by_status[CheckStatus.ERROR],
    )
