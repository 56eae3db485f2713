"""A stand-in for the part of the Hugging Face Hub's HTTP API that `push` uses."""

import base64
import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_secret"


class Hub(ThreadingHTTPServer):
    """Repositories in memory.

    Attributes:
        private: whether a repository is private, by its name.
        files: the content of each file, by repository and path.
        unknown: requests that are not answered as the Hub would.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.private: dict[str, bool] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.large: dict[str, bytes] = {}
        self.unknown: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def running() -> Iterator[Hub]:
    """Run a Hub while the context lasts."""
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid username or password."})
        elif self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif self.path.endswith("/preupload/main"):
            paths = [file["path"] for file in json.loads(body)["files"]]
            modes = {p: "lfs" if p.endswith(".safetensors") else "regular" for p in paths}
            ways = [{"path": p, "uploadMode": m, "shouldIgnore": False} for p, m in modes.items()]
            self._answer(200, {"files": ways})
        elif self.path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {
                    **one,
                    "actions": {"upload": {"href": f"{self.server.address}/lfs/{one['oid']}"}},
                }
                for one in json.loads(body)["objects"]
            ]
            self._answer(200, {"transfer": "basic", "objects": objects})
        elif found := re.fullmatch(r"/api/models/(.+)/commit/main", self.path):
            self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._unknown()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        identity = self.path.removeprefix("/lfs/")
        assert hashlib.sha256(content).hexdigest() == identity
        self.server.large[identity] = content
        self._answer(200, {})

    def do_GET(self) -> None:
        found = re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)(/revision/main)?", self.path)
        if self.path == "/api/agent-harnesses":  # asked once, for the user agent
            self._answer(200, {})
        elif found and found[1] in self.server.private:
            private = self.server.private[found[1]]
            self._answer(200, {"id": found[1], "private": private, "sha": "0" * 40, "siblings": []})
        elif found:
            self._answer(404, {"error": "Repository not found"})
        else:
            self._unknown()

    def _create(self, wanted: dict) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        if name.startswith("other/"):
            self._answer(403, {"error": "You don't have the rights to create a model here"})
            return
        is_new = name not in self.server.private
        if is_new:
            is_private = wanted.get("visibility") == "private" or wanted.get("private", False)
            self.server.private[name] = is_private
            self.server.files[name] = {}
        url = f"{self.server.address}/{name}"
        self._answer(200 if is_new else 409, {"url": url, "id": name})

    def _commit(self, name: str, lines: list[dict]) -> None:
        assert lines[0]["key"] == "header"
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                content = base64.b64decode(value["content"])
            else:
                content = self.server.large[value["oid"]]
            self.server.files[name][value["path"]] = content
        url = f"{self.server.address}/{name}/commit/{'1' * 40}"
        self._answer(200, {"commitUrl": url, "commitOid": "1" * 40})

    def _unknown(self) -> None:
        self.server.unknown.append(f"{self.command} {self.path}")
        self._answer(404, {"error": "Not found"})

    def _answer(self, status: int, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if "error" in content:
            self.send_header("X-Error-Message", content["error"])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""
