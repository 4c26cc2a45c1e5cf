"""Times as the contract writes them: UTC, `YYYY-MM-DDTHH:MM:SS.mmmZ`."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """The text of an aware datetime; it sorts as the time does."""
    if moment.tzinfo is None:
        raise ValueError("A time without a zone cannot be written.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware datetime of a stamp; ValueError for anything else."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
