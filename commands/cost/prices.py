"""What AWS and Temporal Cloud charge, in US dollars, without tax, free tier and discounts. Read in November 2026; check
the pages before a budget depends on them.

- DynamoDB on demand: AWS Price List, offer AmazonDynamoDB of September 2026 for ap-south-1, of August 2026 for
  ap-southeast-2; aws.amazon.com/dynamodb/pricing/on-demand for us-east-1, as halved on 1 November 2024.
- Secrets Manager: aws.amazon.com/secrets-manager/pricing, the same in every commercial region.
- S3 Standard: aws.amazon.com/s3/pricing, first 50 TB.
- KMS: aws.amazon.com/kms/pricing, likewise. A rotation adds a dollar a month to its key, but only the first two do.
- Temporal Cloud: docs.temporal.io/cloud/pricing and docs.temporal.io/evaluate/cloud/actions, pay as you go, Developer
  plan, first five million actions of a month. A server of one's own has no price for an action.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SECRET_MONTH = 0.40
SECRETS_CALL = 0.05 / 10_000
KEY_MONTH = 1.00
KMS_REQUEST = 0.03 / 10_000

TEMPORAL_ACTION = 50 / 1_000_000
TEMPORAL_FAIRNESS = 0.1
"""Extra actions for each action while fairness keys are in use, as ours are."""
TEMPORAL_PLAN = 0.1
"""The Developer plan's share of what is used."""

HOURS_PER_MONTH = 730
DAYS_PER_MONTH = HOURS_PER_MONTH / 24


@dataclass(frozen=True)
class DataPrices:
    """DynamoDB: of one request unit, and of a gigabyte that is kept for a month, with its continuous backup. S3: of an
    object that is written, and of a gigabyte that is kept for a month."""

    write_unit: float
    read_unit: float
    row_gb_month: float
    put: float
    object_gb_month: float


class Region(StrEnum):
    """Those whose prices are known here."""

    MUMBAI = "ap-south-1"
    SYDNEY = "ap-southeast-2"
    VIRGINIA = "us-east-1"


DATA: Mapping[Region, DataPrices] = {
    Region.MUMBAI: DataPrices(0.71e-6, 0.1425e-6, 0.285 + 0.228, 5e-6, 0.025),
    Region.SYDNEY: DataPrices(0.71e-6, 0.1425e-6, 0.285 + 0.228, 5.5e-6, 0.025),
    Region.VIRGINIA: DataPrices(0.625e-6, 0.125e-6, 0.25 + 0.20, 5e-6, 0.023),
}
