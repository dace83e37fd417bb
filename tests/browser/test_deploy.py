"""What docs/deploy.md says: two real processes behind its proxy, and a frame of another site."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, free_port, serving_app, wait_for
from tests.browser.stage import finished, press, ready, saved, stage

DEPLOY = ROOT / "docs" / "deploy"
SYSTEM = ("/usr/sbin", "/usr/local/sbin")  # where Debian has it, which a user's PATH may lack
NGINX = shutil.which("nginx", path=os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM)))
RUN = "index=7&pace=full&attack_steps=20&solver.restarts=1&solver.start_steps=5&solver.steps=10"

pytestmark = pytest.mark.browser


@contextmanager
def proxied(servers: dict[str, Server], folder: Path) -> Iterator[str]:
    """The shipped configuration in front of these servers, by their names there; its address."""
    text, port = (DEPLOY / "nginx.conf").read_text(), free_port()
    for name, server in servers.items():
        text, count = re.subn(rf"{name}:8501", server.url.split("//")[1].strip("/"), text)
        assert count == 2
    text, count = re.subn("listen 80;", f"listen 127.0.0.1:{port};", text)
    assert count == 1
    # nginx keeps its temporary files where only root may write, unless it is told another folder.
    kept = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", "http {\naccess_log off;\n" + kept, 1)
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\n{text}"
    )
    process = subprocess.Popen([str(NGINX), "-p", str(folder), "-c", str(path)])
    try:
        wait_for(lambda: (folder / "pid").exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"http://localhost:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def process_of(page: Page) -> str:
    """Which process the cookie names."""
    named = {each["name"]: each["value"] for each in page.context.cookies()}
    return named["red_process"]


def test_the_services_are_those_that_the_proxy_knows() -> None:
    known = set(re.findall(r"server ([\w-]+):8501", (DEPLOY / "nginx.conf").read_text()))
    services = re.findall(r"^  ([\w-]+): \*app$", (DEPLOY / "compose.yaml").read_text(), re.M)
    assert set(services) == known
    assert len(known) == 2


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_a_visitor_stays_with_one_process_and_survives_its_end(
    browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = tmp_path_factory.mktemp
    with ExitStack() as lasting, ExitStack() as ending:
        first = lasting.enter_context(serving_app(made("a")))
        second = ending.enter_context(serving_app(made("b")))
        servers = {"app-a": first, "app-b": second}
        address = lasting.enter_context(proxied(servers, made("nginx")))
        visitors: dict[str, Page] = {}
        for _ in range(40):  # until each process has one
            context = lasting.enter_context(browser.new_context())
            page = context.new_page()
            page.goto(f"{address}?{RUN}")
            visitors.setdefault(process_of(page), page)
            if len(visitors) == 2:
                break
        assert set(visitors) == {"a", "b"}
        for name, page in visitors.items():
            ready(page)
            press(page, "primary")
            finished(page)  # its socket found the run, and so does its file
            assert json.loads(saved(page, "json"))["settings"]["index"] == 7
            assert process_of(page) == name
        ending.close()
        left = visitors["b"]
        expect(left.locator(".stage .alert")).to_contain_text("not kept any more")
        left.reload()
        ready(left)
        press(left, "primary")
        finished(left)
        expect(stage(visitors["a"])).to_have_attribute("data-state", "finished")


def test_a_run_plays_in_a_frame_of_another_site(browser, server: Server, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "index.html").write_text(
        f'<iframe src="{server.url}?{RUN}&embed=true" width="1200" height="800"></iframe>'
    )
    course = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(course, cwd=tmp_path, stdout=quiet, stderr=quiet)
    try:
        wait_for(lambda: _answers(port))
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            frame = page.frame_locator("iframe")
            frame.locator("[data-act=primary]").click()
            # Storage is denied in such a frame: the run goes on without it.
            expect(frame.locator(".stage")).to_have_attribute("data-verdict", "shown")
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
