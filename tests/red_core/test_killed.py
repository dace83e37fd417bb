"""`kill -9` at random moments: nothing half-written is read, and one checkpoint's work is lost.

RED_KILLS=full (`make kills`) kills each of the three 20 times; the unit tests a few times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.red_core.data import toy_archive
from tests.red_core.killed import JOBS
from tests.red_core.recipes.cifar10 import toy_data

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20 if os.environ.get("RED_KILLS") == "full" else 3
PAUSE = 0.01  # seconds between two pieces of the archive


@pytest.fixture
def slow_server() -> Iterator[str]:
    """The address of the toy archive, which comes in small pieces; it knows ranges."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted, whole = self.headers.get("Range"), toy_archive.ARCHIVE
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
            self.send_header("Content-Length", str(len(whole) - start))
            self.end_headers()
            try:
                for place in range(start, len(whole), toy_archive.PIECE):
                    self.wfile.write(whole[place : place + toy_archive.PIECE])
                    time.sleep(PAUSE)
            except OSError:  # the one who asked was killed
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/a.tar.gz"
    httpd.shutdown()
    httpd.server_close()
    thread.join(10)


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("job", JOBS)
def test_a_kill_at_a_random_moment(
    job: str, toy_folder: Path, slow_server: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    if job == "recipe":
        toy_data.write(data)
    environment = {
        **os.environ, "RED_DATA": str(data), "RED_ASSETS": str(toy_folder),
        "RED_TEST_ADDRESS": slow_server, "no_proxy": "127.0.0.1", "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }  # fmt: skip
    words = [sys.executable, "-m", "tests.red_core.killed", job, str(KILLS), str(tmp_path / "runs")]
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1700
    )
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout.splitlines()[-1])
    print(job, counted)
    assert counted["kills"] == KILLS
    assert counted["most lost"] <= 1
