"""The sentences that a visitor reads where the server's limits strike: a server with small ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE, Server, serving_app
from tests.browser.stage import LONG, SHORT, choose, finished, line, press, ready, shown, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)
SMALL = {"RED_SESSIONS": "2", "RED_RUNS": "1", "RED_UPLOAD_MB": "1"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setenv(name, value)
        with serving_app(tmp_path_factory.mktemp("small")) as running:
            yield running


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_a_run_waits_until_the_server_has_a_place_for_it(visit, small: Server, size) -> None:
    first = visit(f"{small.url}?index=7&{LONG}")
    ready(first)
    press(first, "primary")
    until(first, lambda now: now["state"] == "running")
    other = visit(f"{small.url}?index=8&{SHORT}", viewport={"width": size[0], "height": size[1]})
    ready(other)
    press(other, "primary")
    expect(line(other)).to_have_text("This run has not begun.")
    detail = other.locator(".stage .detail").first
    expect(detail).to_have_text(
        "This server computes 1 run at once, and as many have begun. Press Run again in a minute."
    )
    press(first, "stop")
    for _ in range(60):  # after the verdict it computes what the theorems say
        press(other, "primary")
        other.wait_for_timeout(1000)
        if shown(other)["state"] != "idle":
            break
    finished(other)
    expect(detail).not_to_contain_text("This server")


def test_a_visitor_more_is_asked_to_come_again(visit, small: Server) -> None:
    pages = [visit(f"{small.url}?index=7") for _ in range(2)]
    for page in pages:
        ready(page)
    more = visit(small.url)
    sentence = more.get_by_text("This server takes 2 visitors at once, and all places are taken.")
    expect(sentence).to_be_visible()
    assert more.locator(".stage").count() == 0
    pages[0].close()
    for _ in range(20):  # until the server has seen the tab close
        more.reload()
        more.locator(".stage, [data-testid=stAlert]").first.wait_for()
        if more.locator(".stage").count():
            break
    ready(more) if more.locator(".stage[data-state=idle]").count() else finished(more)


def test_an_upload_too_many_is_a_sentence_and_is_not_kept(visit, small: Server) -> None:
    page = visit(f"{small.url}?index=7")
    ready(page)
    choose(page, "Source", "Upload a picture")
    files = [
        {"name": f"{name}.png", "mimeType": "image/png", "buffer": b"x" * 700_000}
        for name in ("one", "two")
    ]
    uploader = page.locator("input[type=file]")
    uploader.set_input_files(files[0])
    expect(page.get_by_text("one.png", exact=False).first).to_be_visible()
    uploader.set_input_files(files[1])
    sentence = page.get_by_text("A visitor may upload 1 MB a minute here, and this was more.")
    expect(sentence).to_be_visible()
    assert page.get_by_text("two.png: ", exact=False).count() == 0, "nobody tried to read it"
