"""Measure speed and latency of `serve` and other servers, or test it with invalid requests.

    python benchmarks/serving.py --model=saved_models/imdb --reviews=reviews/test.jsonl
    python benchmarks/serving.py … --checkpoint=run/huggingface --pytorch=PYTHON --tensorflow=PYTHON
    python benchmarks/serving.py … --also saved_models/imdb_bfloat16 run/onnx
    python benchmarks/serving.py --model=saved_models/imdb --reviews=reviews/test.jsonl --faults=300

The model comes from a run with `--export=saved_model --export=huggingface`. The Hugging Face folder
is the checkpoint of the other servers, with the same weights. PYTHON is an interpreter with torch
and transformers 5, or with tf-keras and transformers 4; both need starlette, uvicorn, httptools and
uvloop. `benchmarks/imdb_subset.py` writes the reviews.

All servers run at once and get requests in turns of a few seconds, so that other load on the
machine affects all of them equally. The clients share the machine's cores, and wait for an answer
before they send the next request. Every answer is compared with that of the first server, to 1e-3;
those of `--also`, other exports of the same run, to 0.1, because they may be less precise.
"""

import argparse
import asyncio
import contextlib
import json
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass

import psutil

HOST = "127.0.0.1"


@dataclass
class Server:
    """A running server.

    Attributes:
        name: the name shown in the table.
        process: the process of the server.
        port: the port where it listens.
        path: the path of its URL for predictions.
        tolerance: how far a probability may be from the first server's.
    """

    name: str
    process: subprocess.Popen
    port: int
    path: str
    tolerance: float = 1e-3


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        return listening.getsockname()[1]


def ours(model: pathlib.Path, name: str, *flags: str) -> Server:
    """Start `serve` with the given flags."""
    port = free_port()
    command = [sys.executable, "-m", "ftkeras.main", "serve", f"--model={model}", f"--port={port}"]
    process = subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL)
    return Server(name, process, port, f"/v1/models/{model.resolve().name}:predict")


def peer(kind: str, python: str, asked: argparse.Namespace, threads: int) -> Server:
    """Start a server of benchmarks/peers/front.py."""
    port, script = free_port(), pathlib.Path(__file__).parent / "peers" / "front.py"
    words = [kind, asked.checkpoint, str(port), str(asked.max_length), str(threads)]
    name = f"{kind}, {threads} at once"
    process = subprocess.Popen([python, str(script), *words])
    return Server(name, process, port, "/v1/models/peer")


def request(server: Server, body: bytes) -> bytes:
    """Return the bytes of an HTTP request."""
    head = f"POST {server.path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read a response; return its status and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def wait_for(server: Server, seconds: float = 180) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await ask(server, ["Is anybody there?"])
            return
        if server.process.poll() is not None:
            sys.exit(f"{server.name} ended with {server.process.returncode}")
        await asyncio.sleep(0.5)
    sys.exit(f"{server.name} does not answer")


async def ask(server: Server, texts: list[str]) -> list[list[float]]:
    """Return the probabilities of texts."""
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(request(server, json.dumps({"instances": texts}).encode()))
    status, body = await answer(reader)
    writer.close()
    assert status == 200, body
    return [row["probabilities"] for row in json.loads(body)["predictions"]]


async def turn(server: Server, clients: int, seconds: float, texts: list[str], wanted) -> dict:
    """Send requests for a turn; return answers per second, and how long each took."""
    bodies = [request(server, json.dumps({"instances": [text]}).encode()) for text in texts]
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def client(seed: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, server.port, limit=2**20)
        rng = random.Random(seed)
        while time.perf_counter() < end:
            number = rng.randrange(len(bodies))
            began = time.perf_counter()
            writer.write(bodies[number])
            status, body = await answer(reader)
            taken.append(time.perf_counter() - began)
            assert status == 200, body
            got = json.loads(body)["predictions"][0]["probabilities"]
            off = max(abs(a - b) for a, b in zip(got, wanted[number], strict=True))
            assert off < server.tolerance, (server.name, number, off)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client(seed) for seed in range(clients)))
    return {"rate": len(taken) / (time.perf_counter() - began), "taken": taken}


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def load(servers: list[Server], asked: argparse.Namespace, texts: list[str]) -> None:
    """Let the servers take turns, and print the table."""
    for server in servers:
        await wait_for(server)
    wanted = [(await ask(servers[0], [text]))[0] for text in texts]
    print("| clients | server | requests/s | p50 ms | p95 ms | p99 ms | relative to the first |")
    print("|---|---|---|---|---|---|---|")
    for clients in asked.clients:
        turns: dict[str, list[dict]] = {server.name: [] for server in servers}
        for _ in range(asked.turns):
            for server in servers:
                await turn(server, clients, 0.3, texts, wanted)
                done = await turn(server, clients, asked.seconds, texts, wanted)
                turns[server.name].append(done)
        first = turns[servers[0].name]
        for name, done in turns.items():
            taken = [1000 * seconds for one in done for seconds in one["taken"]]
            # The median of the turns' ratios: a disturbance affects both servers in a turn.
            pairs = zip(done, first, strict=True)
            ratio = statistics.median(one["rate"] / base["rate"] for one, base in pairs)
            rate = statistics.median(one["rate"] for one in done)
            shown = " | ".join(f"{percentile(taken, share):.1f}" for share in (0.5, 0.95, 0.99))
            print(f"| {clients} | {name} | {rate:.1f} | {shown} | {ratio:.2f} |", flush=True)


async def faults(asked: argparse.Namespace, texts: list[str]) -> None:
    """Saturate the server, also with invalid requests, while versions change."""
    source = pathlib.Path(asked.model)
    newest = max((p for p in source.iterdir() if p.name.isdecimal()), key=lambda p: int(p.name))
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / source.resolve().name
        shutil.copytree(newest, model / "1")
        server = ours(model, "faults")
        try:
            await wait_for(server)
            await _faults(server, model, asked.faults, texts)
        finally:
            server.process.terminate()
            print(f"exit code {server.process.wait()}")


async def _faults(server: Server, model: pathlib.Path, seconds: float, texts: list[str]) -> None:
    wanted = [(await ask(server, [text]))[0] for text in texts]
    seen, wrong, memory = Counter(), [], []
    end = time.monotonic() + seconds

    async def client(seed: int, act) -> None:
        rng = random.Random(seed)
        while time.monotonic() < end:
            await act(rng)

    async def post(what: str, body: bytes, *statuses: int) -> bytes:
        reader, writer = await asyncio.open_connection(HOST, server.port, limit=2**20)
        writer.write(request(server, body))
        status, got = await asyncio.wait_for(answer(reader), 60)
        writer.close()
        seen[what, status] += 1
        if status not in statuses:
            wrong.append((what, status, got[:200]))
        return got

    async def valid(rng: random.Random) -> None:
        number = rng.randrange(len(texts))
        body = json.dumps({"instances": [texts[number]]}).encode()
        got = json.loads(await post("valid", body, 200)).get("predictions", [{}])[0]
        off = zip(got.get("probabilities", [9, 9]), wanted[number], strict=True)
        if max(abs(a - b) for a, b in off) > 1e-3:
            wrong.append(("wrong answer", texts[number][:50], got))

    async def invalid(rng: random.Random) -> None:
        what, body, status = rng.choice(FAULTS)
        await post(what, body, status)
        await asyncio.sleep(0.05)

    async def hang_up(rng: random.Random) -> None:
        _, writer = await asyncio.open_connection(HOST, server.port)
        whole = request(server, json.dumps({"instances": [rng.choice(texts)]}).encode())
        writer.write(whole[: rng.randrange(len(whole) + 1)])
        await writer.drain()
        writer.close()
        seen["hung up", 0] += 1
        await asyncio.sleep(0.05)

    async def swap_versions() -> None:
        version = 1
        while time.monotonic() + 20 < end:
            await asyncio.sleep(min(20, seconds / 5))
            version += 1
            await asyncio.to_thread(shutil.copytree, model / "1", model / f".{version}")
            (model / f".{version}").rename(model / str(version))
            seen["version swapped", 0] += 1

    async def record_memory() -> None:
        process = psutil.Process(server.process.pid)
        while time.monotonic() < end:
            await asyncio.sleep(seconds / 20)
            memory.append(process.memory_info().rss / 2**20)
            print(f"{time.monotonic() - end + seconds:6.0f} s  {memory[-1]:7.0f} MiB", flush=True)

    acts = [valid] * 8 + [invalid] * 3 + [hang_up]
    clients = (client(seed, act) for seed, act in enumerate(acts))
    await asyncio.gather(*clients, swap_versions(), record_memory())
    for (what, status), count in sorted(seen.items()):
        print(f"{count:8,}  {what}{f': {status}' if status else ''}")
    half = len(memory) // 2
    print(
        f"memory: {max(memory[:half]):.0f} MiB at most in the first half, "
        f"{max(memory[half:]):.0f} MiB in the second"
    )
    print(f"wrong: {len(wrong)}", *wrong[:5], sep="\n  ")


def _instances(text: str) -> bytes:
    return json.dumps({"instances": [text]}).encode()


# Name, body and expected status of each request.
FAULTS = [
    ("10 MB", b"x" * 10_000_000, 413),
    ("malformed JSON", b'{"instances": ["a"', 400),
    ("wrong type", b'{"instances": [1]}', 400),
    ("wrong key", b'{"texts": ["a"]}', 400),
    ("wrong signature", b'{"signature_name": "none", "instances": ["a"]}', 400),
    ("empty body", b"", 400),
    ("deeply nested", b'{"instances": ' + b"[" * 50_000, 400),
    ("empty string", _instances(""), 200),
    ("100,000 letters", _instances("good " * 20_000), 200),
    ("one word of 100,000", _instances("x" * 100_000), 200),
    ("invalid UTF-8", b'{"instances": ["\xff\xfe\xc3 good"]}', 200),
    ("lone surrogate", b'{"instances": ["\\ud800"]}', 400),
    ("100 texts", json.dumps({"instances": ["a text of some words"] * 100}).encode(), 200),
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--reviews", required=True)
    parser.add_argument("--count", type=int, default=128, help="number of reviews")
    parser.add_argument("--also", nargs="+", default=[], help="other exports of the same run")
    parser.add_argument("--checkpoint", help="Hugging Face folder for the peers")
    parser.add_argument("--pytorch", help="an interpreter with torch")
    parser.add_argument("--tensorflow", help="an interpreter with transformers 4 and tf-keras")
    parser.add_argument("--max_length", type=int, default=256)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="per turn")
    parser.add_argument("--faults", type=float, help="test with faults for this many seconds")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    with open(asked.reviews, encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file][: asked.count]
    if asked.faults:
        asyncio.run(faults(asked, texts))
        return
    model = pathlib.Path(asked.model)
    servers = [ours(model, "ftkeras"), ours(model, "ftkeras, no batches", "--batching=none")]
    for other in asked.also:
        servers.append(ours(pathlib.Path(other), f"ftkeras, {pathlib.Path(other).name}"))
        servers[-1].tolerance = 0.1
    for kind in ("pytorch", "tensorflow"):
        if python := getattr(asked, kind):
            servers += [peer(kind, python, asked, threads) for threads in (1, 2)]
    try:
        asyncio.run(load(servers, asked, texts))
    finally:
        for server in servers:
            server.process.terminate()


if __name__ == "__main__":
    main()
