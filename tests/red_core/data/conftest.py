"""A server on this machine that hands out a tiny archive in CIFAR-10's form."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.red_core.data.toy_archive import ARCHIVE, accept


@dataclass
class Server:
    """How the server behaves, and what it was asked."""

    archive: bytes = ARCHIVE
    ranges: bool = True
    told_length: bool = True
    cut_after: int | None = None  # bytes of an answer
    status: int | None = None  # of an answer without content
    silent: float = 0.0  # seconds before the content
    asked: list[str | None] = field(default_factory=list)  # the Range of every request
    address: str = ""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """torchvision's CIFAR-10 is the tiny archive, and the data root an empty folder."""
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            made.asked.append(wanted)
            if made.status is not None:
                self.send_error(made.status)
                return
            body, size = made.archive, len(made.archive)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if made.ranges and start >= size:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{size}")
                self.end_headers()
                return
            if made.ranges and start:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
                body = body[start:]
            else:
                self.send_response(200)
            if made.told_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.flush()
            time.sleep(made.silent)
            self.wfile.write(body[: made.cut_after])

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.address = f"http://127.0.0.1:{httpd.server_port}/a.tar.gz"
    accept(made.address, monkeypatch.setattr)
    monkeypatch.setenv("RED_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield made
    httpd.shutdown()
    httpd.server_close()
    thread.join(10)
