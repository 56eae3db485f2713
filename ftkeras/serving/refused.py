"""What a request is refused with: one of gRPC's codes, and what HTTP makes of it."""

# gRPC's canonical codes to HTTP's, as TensorFlow Serving's http_server.cc maps them.
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


class Refused(Exception):  # noqa: N818  an answer like another
    """A request that gets an error for an answer.

    Args:
        code: a key of `HTTP_STATUS`.
        message: the `error` of the answer's JSON.
        http_status: where it is not the one that goes with `code`.
    """

    def __init__(self, code: str, message: str, *, http_status: int | None = None):
        super().__init__(message)
        self.code, self.message = code, message
        self.http_status = http_status or HTTP_STATUS[code]


def invalid(message: str) -> Refused:
    """The commonest refusal: what was sent can't be answered, by this model or by any."""
    return Refused("INVALID_ARGUMENT", message)
