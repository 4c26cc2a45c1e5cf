"""The check of Lambda functions: none runs on a runtime that AWS no longer updates.

The dates are those of AWS (docs.aws.amazon.com, "Lambda runtimes"). After its date a runtime gets no security updates;
a runtime that is not in the table is taken for a newer one.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

from domain.scans.scan import Severity
from engines.aws.reader import AwsReader
from engines.checks import Check, Judgement, Verdict, by_resource, fsbp

UPDATED_UNTIL = {
    "dotnet6": date(2024, 12, 20),
    "dotnet8": date(2026, 11, 10),
    "dotnet9": date(2026, 11, 10),
    "dotnetcore1.0": date(2019, 6, 27),
    "dotnetcore2.0": date(2019, 5, 30),
    "dotnetcore2.1": date(2022, 1, 5),
    "dotnetcore3.1": date(2023, 4, 3),
    "go1.x": date(2024, 1, 8),
    "java8": date(2024, 1, 8),
    "java8.al2": date(2027, 6, 30),
    "java11": date(2027, 6, 30),
    "java17": date(2027, 6, 30),
    "nodejs": date(2016, 8, 30),
    "nodejs4.3": date(2020, 3, 5),
    "nodejs4.3-edge": date(2020, 3, 5),
    "nodejs6.10": date(2019, 8, 12),
    "nodejs8.10": date(2020, 3, 6),
    "nodejs10.x": date(2021, 7, 30),
    "nodejs12.x": date(2023, 3, 31),
    "nodejs14.x": date(2023, 12, 4),
    "nodejs16.x": date(2024, 6, 12),
    "nodejs18.x": date(2025, 9, 1),
    "nodejs20.x": date(2026, 4, 30),
    "nodejs22.x": date(2027, 4, 30),
    "provided": date(2024, 1, 8),
    "provided.al2": date(2026, 7, 31),
    "python2.7": date(2021, 7, 15),
    "python3.6": date(2022, 7, 18),
    "python3.7": date(2023, 12, 4),
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "python3.10": date(2026, 10, 31),
    "python3.11": date(2027, 6, 30),
    "ruby2.5": date(2021, 7, 30),
    "ruby2.7": date(2023, 12, 7),
    "ruby3.2": date(2026, 3, 31),
    "ruby3.3": date(2027, 3, 31),
}


def runtimes(
    aws: AwsReader, region: str, today: Callable[[], date] = lambda: datetime.now(UTC).date()
) -> Iterator[Judgement]:
    def is_updated(function: dict[str, Any]) -> Verdict:
        if function.get("PackageType") == "Image":
            return None
        runtime = function["Runtime"]
        if UPDATED_UNTIL.get(runtime, date.max) > today():
            return True
        return f"AWS updated the runtime {runtime} until {UPDATED_UNTIL[runtime]}."

    functions = aws.items("lambda:ListFunctions", region)
    good = "AWS updates the function's runtime."
    yield from by_resource(aws, functions, itemgetter("FunctionArn"), is_updated, good=good)


CHECKS = (
    Check(
        "fsbp-lambda.2",
        "Functions run on runtimes that AWS updates",
        "lambda",
        Severity.MEDIUM,
        (fsbp("Lambda.2"),),
        "Move the function to a runtime that AWS updates, or delete it when nobody needs it.",
        runtimes,
    ),
)
