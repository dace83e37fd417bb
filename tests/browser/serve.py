"""The app under a test's eye: a file always holds the number of live run threads."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from streamlit.web import bootstrap

ROOT = Path(__file__).resolve().parents[2]


def count(path: Path) -> None:
    while True:
        alive = sum(thread.name == "red-run" for thread in threading.enumerate())
        written = path.with_suffix(".new")
        written.write_text(str(alive))
        written.replace(path)  # a reader must not find it empty
        time.sleep(0.1)


if __name__ == "__main__":
    port, counted = int(sys.argv[1]), Path(sys.argv[2])
    sys.path.insert(0, str(ROOT))
    from pages.ui.live import watched

    watched.CLOSED = 30.0  # not a minute, which the next test would wait for
    threading.Thread(target=count, args=(counted,), daemon=True).start()
    flags = {"server_port": port, "server_headless": True, **json.loads(sys.argv[3])}
    bootstrap.load_config_options(flag_options=flags)
    bootstrap.run_asgi_app(str(ROOT / "app.py"), "app:app", [], flags)
