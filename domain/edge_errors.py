"""What the API refuses by itself, most of it before a route is reached: branches of the tree in `domain.errors` that no
workflow sees."""

from domain.errors import Conflict, InvalidInput, UserError


class MalformedRequest(UserError):
    """It is no HTTP, or two readers could read its head in two ways."""

    code = "malformed_request"
    default_message = "The request is not valid HTTP, or a header that may come once is there twice."


class UnknownParameter(InvalidInput):
    """The query has a parameter that the route does not have. To ignore it could answer another question than was
    asked."""

    code = "unknown_parameter"
    default_message = "The address has a parameter that this route does not have; see the problems listed."


class HeadTooLarge(UserError):
    """The request line and the headers are over the limit."""

    code = "head_too_large"
    default_message = "The request line and the headers are too large, or there are too many headers."


class RequestTooSlow(UserError):
    """The request was not received in time."""

    code = "request_timeout"
    default_message = "The request did not arrive in time; send it again, and faster."


class RateLimited(UserError):
    """Too many requests of one caller. `retry_after` is in seconds, None when nothing is known."""

    code = "rate_limited"
    default_message = "Too many requests; slow down."

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TenantDisabled(Conflict):
    """The platform has disabled the tenant."""

    code = "tenant_disabled"
    default_message = (
        "The tenant is disabled: what it has can be read, and nothing is made, changed or started until a platform "
        "administrator enables it."
    )
