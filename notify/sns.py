"""SNS topics of a customer, which let the platform publish."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import InvalidInput, Throttled, Unavailable
from domain.onboarding.credentials import Secret
from domain.scans.notifications import Channel, Notification

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

REFUSED = frozenset({"NotFound", "NotFoundException", "AuthorizationError", "AuthorizationErrorException"})
REFUSED |= {"InvalidParameter", "InvalidParameterException", "AccessDenied", "AccessDeniedException"}
THROTTLED = frozenset({"Throttled", "ThrottledException", "Throttling", "ThrottlingException"})


class SnsTopics:
    """The `Notifier` of SNS. `client` gives the client of a region."""

    def __init__(self, client: "Callable[[str], SNSClient]") -> None:
        self._client = client

    def deliver(self, channel: Channel, notification: Notification, signing: Secret | None) -> None:
        region, message = channel.target.split(":")[3], json.dumps(asdict(notification))
        ordering = {"MessageGroupId": notification.schedule_id, "MessageDeduplicationId": notification.execution_id}
        more: Any = ordering if channel.target.endswith(".fifo") else {}
        try:
            self._client(region).publish(
                TopicArn=channel.target, Subject=f"Scan {notification.status}", Message=message, **more
            )
        except ClientError as error:
            raise _meaning(error.response.get("Error", {}).get("Code", "")) from None
        except BotoCoreError:
            raise Unavailable from None


def _meaning(code: str) -> Exception:
    if code in REFUSED:
        return InvalidInput("The topic does not exist, or does not let the platform publish.")
    return Throttled() if code in THROTTLED else Unavailable()
