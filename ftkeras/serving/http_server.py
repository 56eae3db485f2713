"""Run the HTTP server until a signal arrives, and then finish the requests received."""

import asyncio
import re
import signal
import socket
from collections.abc import Callable

import uvicorn

from ftkeras.errors import Stopped, UserError
from ftkeras.serving import rest
from ftkeras.serving.page.examples import Examples
from ftkeras.serving.service import Service


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        UserError: if the address is in use or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        raise UserError(f"can't listen on host={host} port={port}: {error.strerror}.") from None
    return listening


def url(listening: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = listening.getsockname()[:2]
    host = re.sub(r"^(0\.0\.0\.0|::)$", "localhost", host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    service: Service,
    listening: socket.socket,
    *,
    max_request_bytes: int,
    timeout: float,
    examples: Examples,
    on_start: Callable[[], None],
) -> None:
    """Answer requests until a signal arrives, then finish those received.

    Args:
        service: answers the requests.
        listening: from `bind`.
        max_request_bytes: size above which requests are refused.
        timeout: seconds that a request may take.
        examples: texts that the page offers.
        on_start: called when the server accepts requests.

    Raises:
        Stopped: after SIGTERM.
    """
    options = uvicorn.Config(
        rest.application(service, max_request_bytes=max_request_bytes, examples=examples),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(timeout) + 1,
        timeout_keep_alive=65,
    )
    signal.signal(signal.SIGTERM, _stop)
    with asyncio.Runner(loop_factory=options.get_loop_factory()) as runner:
        runner.run(_serve(uvicorn.Server(options), listening, on_start))


async def _serve(
    server: uvicorn.Server, listening: socket.socket, on_start: Callable[[], None]
) -> None:
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        on_start()
    await serving


def _stop(number: int, frame: object) -> None:
    raise Stopped(number, "All requests have been answered.")
