"""Errors of serving, by gRPC's status codes: those a server answers, and those a client raises."""

# HTTP's status for each of gRPC's codes, as TensorFlow Serving's http_server.cc maps them.
HTTP_STATUS = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}


class RequestError(Exception):
    """A request that the server answers with an error.

    Args:
        code: A key of `HTTP_STATUS`.
        message: The `error` of the response's JSON.
        http_status: HTTP's status, if it is not the one that belongs to `code`.
    """

    def __init__(self, code: str, message: str, *, http_status: int | None = None):
        super().__init__(message)
        self.code, self.message = code, message
        self.http_status = http_status or HTTP_STATUS[code]


def invalid_argument(message: str) -> RequestError:
    """Return the error for a request that no retry can make valid."""
    return RequestError("INVALID_ARGUMENT", message)


class ServingError(Exception):
    """An error that the client received from a server, or that no server answered.

    Args:
        code: gRPC's name for it, such as `NOT_FOUND`, `UNAVAILABLE` or `DEADLINE_EXCEEDED`.
        message: What the server says.
        may_pass: Whether the same request may succeed later.
    """

    def __init__(self, code: str, message: str, *, may_pass: bool = False):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.may_pass = code, message, may_pass
