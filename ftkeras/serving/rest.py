"""The REST API of TensorFlow Serving, and a page to try the model, as an ASGI application."""

import contextlib
import functools
import gzip
import io
import json
import pathlib
import time
import traceback
import zlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ftkeras.serving import metrics, target
from ftkeras.serving.errors import RequestError, invalid_argument
from ftkeras.serving.page import build
from ftkeras.serving.page.examples import Examples
from ftkeras.serving.service import Service

METRICS_PATHS = ("/metrics", "/monitoring/prometheus/metrics")
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
# Bytes of an oversized body that are still read, and dropped: a client that is still sending when
# the connection closes would never see the response.
DROPPED_BYTES = 64 * 1024 * 1024


def application(
    service: Service, *, max_request_bytes: int, examples: Examples | None = None
) -> Starlette:
    """Return the application.

    Args:
        service: Answers the requests.
        max_request_bytes: A larger body is refused with status 413.
        examples: Texts that the page offers; None for none.
    """
    offered = examples or Examples()

    @functools.lru_cache(maxsize=2)
    def page(folder: pathlib.Path, has_examples: bool) -> tuple[str, dict[str, str]]:
        shown = offered if has_examples else Examples()
        return build.page(service.versions.name, folder, examples=shown)

    async def show_page(request: Request) -> Response:
        has_examples = offered.are_for(request.headers.get("host", ""))
        with service.versions.lease() as model:
            content, headers = page(model.folder, has_examples)
        return Response(content, media_type="text/html", headers=headers)

    async def show_metrics(request: Request) -> Response:
        return Response(service.metrics.page(), media_type=metrics.CONTENT_TYPE)

    async def answer(request: Request) -> Response:
        return await _answer(service, request, max_request_bytes)

    routes = [
        Route("/", show_page),
        *(Route(path, show_metrics) for path in METRICS_PATHS),
        Route("/{rest:path}", answer, methods=METHODS),
    ]

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    return Starlette(routes=routes, lifespan=lifespan)


async def _answer(service: Service, request: Request, max_bytes: int) -> Response:
    start, verb, code, status = time.perf_counter(), "unknown", "OK", 200
    try:
        path = request.scope.get("raw_path", b"").split(b"?")[0].decode("latin-1")
        if not path.lower().startswith("/v1/"):
            raise RequestError("NOT_FOUND", f"Not found: {path}")
        asked = target.parse(request.method, path)
        verb = asked.verb
        content = await service.answer(asked, await _read_body(request, max_bytes))
    except RequestError as error:
        code, status = error.code, error.http_status
        content = json.dumps({"error": error.message}).encode()
    except ClientDisconnect:
        code, status, content = "CANCELLED", 499, b""
    except Exception:  # a bug in the server: the client gets an error, the log the traceback
        code, status = "INTERNAL", 500
        content = json.dumps({"error": "The server failed; see its log"}).encode()
        traceback.print_exc()
    service.metrics.record_request(verb, code, time.perf_counter() - start)
    return Response(content, status, media_type="application/json")


async def _read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body, decompressed if it was sent as gzip.

    Raises:
        RequestError: It is larger than `max_bytes`, compressed or decompressed, or damaged.
    """
    parts, size, dropped = [], 0, 0
    async for chunk in request.stream():
        if size > max_bytes:
            dropped += len(chunk)
            if dropped > DROPPED_BYTES:
                break
            continue
        size += len(chunk)
        parts.append(chunk)
    body = b"".join(parts)
    if size <= max_bytes and request.headers.get("content-encoding", "").lower() == "gzip":
        # One byte more than allowed is enough to see that there are too many.
        body = _decompress(body, max_bytes + 1)
    if len(body) > max_bytes:
        message = f"A request has at most {max_bytes:,} bytes (--max_request_bytes)"
        raise RequestError("INVALID_ARGUMENT", message, http_status=413)
    return body


def _decompress(body: bytes, most: int) -> bytes:
    """Return the content of a gzip file, up to some number of bytes.

    Raises:
        RequestError: It is damaged, or cut off.
    """
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(body)).read(most)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise invalid_argument(f"Body is not complete gzip: {error}") from None
