"""Our own side of AWS, from the settings."""

from config import Settings
from stores import session


def aws_of(settings: Settings) -> session.AwsClients:
    return session.connect(settings.aws_region, endpoint_url=settings.aws_endpoint_url)
