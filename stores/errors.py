"""AWS errors to ours, in one place: by class and code, never with the text of the error, which can quote a value."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
)
from botocore.exceptions import ConnectionError as AwsConnectionError
from botocore.parsers import ResponseParserError

from domain.errors import ClockSkew, Internal, OnboardingError, PlatformConfig, Throttled, Unavailable

_MISCONFIGURED = (
    SSLError,
    ProxyConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    NoRegionError,
    InvalidRegionError,
)
# A body that arrives damaged leaves botocore as a bare UnicodeDecodeError, which it does not retry.
_UNANSWERED = (
    AwsConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    UnicodeDecodeError,
)

_CODES: dict[str, type[OnboardingError]] = {
    "LimitExceededException": Throttled,
    "ProvisionedThroughputExceededException": Throttled,
    "RequestLimitExceeded": Throttled,
    "SlowDown": Throttled,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequestsException": Throttled,
    "TransactionConflictException": Throttled,
    "TransactionInProgressException": Throttled,
    # Secrets Manager: the secret is in a state that forbids this now, such as a deletion that is under way.
    "InvalidRequestException": Unavailable,
    "ResourceInUseException": Unavailable,
    "RequestExpired": ClockSkew,
    "RequestTimeTooSkewed": ClockSkew,
    "AccessDenied": PlatformConfig,
    "AccessDeniedException": PlatformConfig,
    "DecryptionFailure": PlatformConfig,
    "DisabledException": PlatformConfig,
    "EncryptionFailure": PlatformConfig,
    "ExpiredToken": PlatformConfig,
    "ExpiredTokenException": PlatformConfig,
    "InvalidClientTokenId": PlatformConfig,
    "InvalidKeyUsageException": PlatformConfig,
    "InvalidSignatureException": PlatformConfig,
    "KMSInvalidStateException": PlatformConfig,
    "MissingAuthenticationTokenException": PlatformConfig,
    # What may be missing is caught where it is asked for; so this is one of our tables or keys.
    "NotFoundException": PlatformConfig,
    "ResourceNotFoundException": PlatformConfig,
    "SignatureDoesNotMatch": PlatformConfig,
    "UnrecognizedClientException": PlatformConfig,
}


@contextmanager
def aws_failures() -> Iterator[None]:
    """Around a call to AWS, or as the decorator of a method that makes some. Our own errors pass unchanged."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from None
    except _MISCONFIGURED as error:
        raise _noted(PlatformConfig(), type(error).__name__) from None
    except _UNANSWERED as error:
        raise _noted(Unavailable(), type(error).__name__) from None
    except BotoCoreError as error:
        raise _noted(Internal(), type(error).__name__) from None


def _meaning(error: ClientError) -> OnboardingError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _CODES:
        meaning = _CODES[code]
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        meaning = Throttled
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        meaning = Unavailable
    else:
        meaning = Internal
    return _noted(meaning(), f"{error.operation_name}: {code if code.isidentifier() else status}")


def _noted(error: OnboardingError, note: str) -> OnboardingError:
    """For the operators, who see the note in a traceback. The message goes to the caller."""
    error.add_note(note)
    return error
