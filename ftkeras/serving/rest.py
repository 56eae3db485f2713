"""The REST API of TensorFlow Serving, and a page for people, as an ASGI application."""

import contextlib
import json
import pathlib
import time
import traceback
import zlib

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ftkeras.serving import metrics, target
from ftkeras.serving.refused import Refused, invalid
from ftkeras.serving.service import Service

PROMETHEUS = ("/metrics", "/monitoring/prometheus/metrics")
# Of a body that is too large so much more is read and dropped, so that its sender hears why.
DROPPED = 64 * 1024 * 1024


def application(service: Service, *, max_request_bytes: int) -> Starlette:
    """The application.

    Args:
        service: what answers.
        max_request_bytes: a larger body is refused with 413.
    """
    page = (pathlib.Path(__file__).parent / "page.html").read_text(encoding="utf-8")
    page = page.replace("{{model}}", json.dumps(service.versions.name).replace("<", "\\u003c"))

    async def show(request: Request) -> Response:
        return Response(page, media_type="text/html", headers=_PAGE_HEADERS)

    async def count(request: Request) -> Response:
        return Response(service.metrics.page(), media_type=metrics.CONTENT_TYPE)

    async def answer(request: Request) -> Response:
        return await _answer(service, request, max_request_bytes)

    every = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    routes = [
        Route("/", show),
        *(Route(path, count) for path in PROMETHEUS),
        Route("/{rest:path}", answer, methods=every),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        yield
        service.close()

    return Starlette(routes=routes, lifespan=lifespan)


# All that the page needs is in it.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'",
    "X-Content-Type-Options": "nosniff",
}


async def _answer(service: Service, request: Request, most: int) -> Response:
    began, verb, code, status = time.perf_counter(), "unknown", "OK", 200
    try:
        path = request.scope.get("raw_path", b"").split(b"?")[0].decode("latin-1")
        if not path.lower().startswith("/v1/"):
            raise Refused("NOT_FOUND", f"Not found: {path}")
        asked = target.parse(request.method, path)
        verb = asked.verb
        content = await service.answer(asked, await _body(request, most))
    except Refused as refused:
        code, status = refused.code, refused.http_status
        content = json.dumps({"error": refused.message}).encode()
    except ClientDisconnect:
        code, status, content = "CANCELLED", 499, b""
    except Exception:  # ours, whatever it is: the client hears of it, and the log says what
        code, status = "INTERNAL", 500
        content = json.dumps({"error": "The server failed; its log says how"}).encode()
        traceback.print_exc()
    service.metrics.request(verb, code, time.perf_counter() - began)
    return Response(content, status, media_type="application/json")


async def _body(request: Request, most: int) -> bytes:
    """The body, unpacked where it was sent as gzip.

    Raises:
        Refused: where it is larger than `most` bytes, packed or unpacked.
    """
    unpack = None
    if request.headers.get("content-encoding", "").lower() == "gzip":
        unpack = zlib.decompressobj(wbits=31)
    parts, size, dropped = [], 0, 0
    async for chunk in request.stream():
        if size > most:
            dropped += len(chunk)
            if dropped > DROPPED:
                break
            continue
        part = _unpacked(unpack, chunk, most - size + 1) if unpack else chunk
        size += len(part)
        parts.append(part)
    if size > most:
        message = f"A request has at most {most:,} bytes (--max_request_bytes)"
        raise Refused("INVALID_ARGUMENT", message, http_status=413)
    return b"".join(parts)


def _unpacked(unpack, chunk: bytes, most: int) -> bytes:
    try:
        return unpack.decompress(chunk, most)
    except zlib.error as error:
        raise invalid(f"Body is no gzip: {error}") from None
