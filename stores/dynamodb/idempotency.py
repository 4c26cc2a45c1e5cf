"""Idempotency records in DynamoDB. Records that expired count as missing: DynamoDB takes up to days to remove them."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from domain.errors import IdempotencyMismatch
from domain.idempotency import Answer, IdempotencyRecord
from domain.timestamps import parse
from stores.dynamodb.items import Row, assignments, expressions, from_item, to_item
from stores.dynamodb.structure import structured
from stores.dynamodb.tables import TableNames
from stores.errors import aws_failures
from stores.reading import Reader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoIdempotencyStore:
    def __init__(self, dynamodb: "DynamoDBClient", names: TableNames) -> None:
        self._dynamodb = dynamodb
        self._table = names.idempotency

    @aws_failures()
    def begin(self, record: IdempotencyRecord) -> IdempotencyRecord:
        kept = self._put_or_find(record)
        if kept.body_digest != record.body_digest:
            raise IdempotencyMismatch
        return kept

    @aws_failures()
    def finish(self, record: IdempotencyRecord, answer: Answer) -> None:
        key = to_item({"tenant_id": record.tenant_id, "record_id": record.record_id})
        change = {"answer": asdict(answer)}
        # The record of that moment: after its expiry another one may stand in its place.
        condition = "#created_at = :created_at AND attribute_not_exists(#answer)"
        request = expressions(
            {**change, "created_at": record.created_at},
            UpdateExpression=assignments(change),
            ConditionExpression=condition,
        )
        try:
            self._dynamodb.update_item(TableName=self._table, Key=key, **request)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return

    def _put_or_find(self, record: IdempotencyRecord) -> IdempotencyRecord:
        """One conditional write. When its reply was lost, the record that is found is the caller's own."""
        request = expressions(
            {"now": int(parse(record.created_at).timestamp())},
            ConditionExpression="attribute_not_exists(#record_id) OR #expires_at <= :now",
        )
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=to_item(asdict(record)),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **request,
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            # botocore's type does not know that the item comes along
            response: dict[str, Any] = dict(error.response)
            return READER.one(from_item(response["Item"]))
        return record


def _from_row(row: Row) -> IdempotencyRecord:
    return structured(IdempotencyRecord, row)


READER = Reader("idempotency", ("tenant_id", "record_id"), _from_row)
