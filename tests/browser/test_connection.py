"""The socket of a run in a real browser: drops, reloads, pages that are left, sessions at once."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, free_port, serving_app, wait_for
from tests.browser.stage import (
    LONG,
    SHORT,
    finished,
    paused,
    press,
    ready,
    saved,
    shown,
    stage,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_reloaded_tab_finds_its_run_and_another_tab_does_not(open_page, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_page(f"index=4&pace=full&{LONG}")
    ready(page)
    press(page, "primary")
    until(page, lambda now: int(now["records"]) > 60)
    page.keyboard.press(" ")
    count = paused(page)
    page.reload()
    found = until(page, lambda now: now["records"] == str(count))
    assert found["state"] == "paused"
    assert found["shown"] == str(count - 1), "it comes back to where it was"
    other = open_page(page.url.split("?", 1)[1])
    ready(other)
    assert shown(other)["records"] == "0"
    press(page, "stop")
    until(page, lambda now: now["state"] == "stopped")


def test_another_choice_ends_the_run(open_page, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_page(f"index=4&run=1&{LONG}")
    until(page, lambda now: now["state"] == "running")
    wait_for(lambda: server.runs() == 1)
    seed = page.get_by_role("spinbutton", name=re.compile("Seed"))
    seed.fill("8")
    seed.press("Enter")
    ready(page)
    expect(page).to_have_url(re.compile("seed=8"))
    assert "run=1" not in page.url
    wait_for(lambda: server.runs() == 0)


@contextmanager
def proxy(target: int) -> Iterator[tuple[int, list[socket.socket], threading.Event]]:
    """A TCP proxy: its port, its open connections (for `cut`), whether it takes new ones."""
    port, links, line = free_port(), list[socket.socket](), threading.Event()
    line.set()
    listener = socket.create_server(("127.0.0.1", port))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with closing(source), closing(sink):
            try:
                while blob := source.recv(65536):
                    sink.sendall(blob)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                browser, _ = listener.accept()
                if not line.is_set():
                    browser.close()
                    continue
                server = socket.create_connection(("localhost", target))
            except OSError:
                return
            links.extend((browser, server))
            for one, other in ((browser, server), (server, browser)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with closing(listener):
        yield port, links, line


def cut(links: list[socket.socket]) -> None:
    """Abort every connection, as a network does that goes away."""
    for link in links:
        try:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
    links.clear()


@contextmanager
def through_proxy(browser, server: Server, query: str) -> Iterator[tuple[Page, list]]:
    """A page of the app behind a proxy, and the proxy's links, for `cut`."""
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    with proxy(port) as (through, links, _):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(f"http://localhost:{through}/?{query}")
        ready(page)
        yield page, links
        context.close()


def test_ten_drops_of_the_connection_cost_no_record(browser, server: Server):
    query = f"index=6&attack=l2&pace=full&{LONG.replace('3000', '700')}"
    with through_proxy(browser, server, query) as (page, links):
        press(page, "primary")
        for number in range(10):
            least = 30 + 40 * number
            until(page, lambda now, least=least: int(now["records"]) > least)
            cut(links)
        finished(page)
        assert shown(page)["state"] == "finished"
        moments = page.locator(".stage").evaluate(
            "(root) => root.stage.store.records.map((record) => [record.phase, record.k])"
        )
    wanted = [["attack", k] for k in range(21)]
    wanted += [["start", k] for k in range(5)] + [["joint", k] for k in range(5, 706)]
    assert moments == wanted, "each record once, in order"


def test_a_paused_run_stays_paused_over_a_drop(browser, server: Server):
    with through_proxy(browser, server, f"index=6&pace=full&{LONG}") as (page, links):
        press(page, "primary")
        until(page, lambda now: int(now["records"]) > 60)
        page.keyboard.press(" ")
        count = paused(page)
        cut(links)
        expect(page.locator(".stage .alert")).to_contain_text("The connection is cut")
        expect(page.locator(".stage .alert")).to_be_hidden()
        assert shown(page)["state"] == "paused"
        page.wait_for_timeout(1000)
        assert shown(page)["records"] == str(count)
        press(page, "stop")
        until(page, lambda now: now["state"] == "stopped")


def test_a_drop_after_the_end_costs_neither_records_nor_verdict(browser, server: Server):
    with through_proxy(browser, server, f"index=6&pace=full&{SHORT}") as (page, links):
        press(page, "primary")
        finished(page)
        before, verdict = shown(page), page.locator(".stage .verdict").inner_text()
        for _ in range(2):
            cut(links)
            expect(page.locator(".stage .alert")).to_contain_text("The connection is cut")
            expect(page.locator(".stage .alert")).to_be_hidden()
        after = shown(page)
        assert [after[name] for name in ("run", "state", "records", "shown")] == [
            before[name] for name in ("run", "state", "records", "shown")
        ]
        assert page.locator(".stage .verdict").inner_text() == verdict
        assert json.loads(saved(page, "json"))["settings"]["index"] == 6
        press(page, "again")  # the run is the visitor's still: it takes orders
        until(page, lambda now: now["state"] == "running" or now["run"] != before["run"])
        finished(page)


def test_leaving_the_page_closes_its_socket_and_keeps_its_records(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    page.add_init_script("")  # the count below lives in the page itself
    finished(page)
    page.evaluate(
        """() => { const Real = WebSocket; window.open_ = 0
             window.WebSocket = class extends Real { constructor(...a) { super(...a)
               if (String(a[0]).endsWith("/run")) { window.open_ += 1
                 this.addEventListener("close", () => { window.open_ -= 1 }) } } } }"""
    )
    for _ in range(5):
        page.get_by_role("link", name="Tables", exact=True).click()
        expect(page.locator(".st-key-headline-tables h2")).to_be_visible()
        expect(stage(page)).to_have_count(0)
        page.get_by_role("link", name="Undo an attack", exact=True).click()
        finished(page)
    assert page.evaluate("() => window.open_") <= 1


def test_two_sessions_run_at_once_without_crosstalk(open_page):
    brief = SHORT.replace("steps=30", "steps=10")
    one = open_page(f"index=7&attack=linf&seed=1&pace=full&{brief}")
    other = open_page(f"index=2&attack=l2&seed=2&pace=full&{brief}")
    idle = open_page(f"index=7&attack=linf&seed=1&{brief}")
    for page in (one, other, idle):
        ready(page)
    press(one, "primary")
    press(other, "primary")
    finished(one)
    finished(other)
    first, second = json.loads(saved(one, "json")), json.loads(saved(other, "json"))
    assert (first["settings"]["attack"], first["settings"]["index"]) == ("linf", 7)
    assert (second["settings"]["attack"], second["settings"]["index"]) == ("l2", 2)
    ready(idle)


def test_a_second_visitor_of_a_link_gets_the_first_ones_record(visit, tmp_path, monkeypatch):
    """It plays without computing; "Run it yourself" beside it computes."""
    monkeypatch.setenv("RED_RECORD_MB", "32")
    query = f"index=3&run=1&pace=full&{SHORT}"
    with serving_app(tmp_path) as server:
        first = visit(f"{server.url}?{query}")
        finished(first)
        wait_for(lambda: server.runs() == 0)
        count = shown(first)["records"]
        second = visit(f"{server.url}?{query}")
        found = until(second, lambda now: now["state"] == "recorded" and now["verdict"] == "shown")
        assert found["records"] == count
        assert server.runs() == 0, "nothing was computed for it"
        press(second, "own")
        until(second, lambda now: now["state"] == "finished" and now["records"] == count)
        for page in (first, second):
            page.close()  # before the server: a page that lost it complains in the console


def step_of(page: Page) -> int:
    """The step that the page Error bound says its descent has reached."""
    said = page.locator(".st-key-headline-2 h2").inner_text()
    found = re.search(r"step\s+([\d,]+) of", said)
    return int(found.group(1).replace(",", "")) if found else 0


DESCENT = "m=40&d=4&examples=5&steps=50000&eta=1e-06&run=1"


def test_a_descent_is_watched_without_a_script_and_over_drops(browser, server: Server):
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    with proxy(port) as (through, links, _):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page, asked = context.new_page(), list[str]()
        page.on(
            "websocket",
            lambda opened: opened.on("framesent", lambda _: asked.append(opened.url)),
        )
        page.goto(f"http://localhost:{through}/error_bound?{DESCENT}")
        wait_for(lambda: step_of(page) > 0, 180)
        page.wait_for_timeout(1500)  # what Streamlit has to say of a page that has just come
        asked.clear()
        steps = set[int]()
        wait_for(lambda: steps.add(step_of(page)) or len(steps) >= 5, 180)
        assert [url for url in asked if "_stcore" in url] == [], "no script has run"
        assert any(url.endswith("/run") for url in asked)
        for _ in range(3):
            before = step_of(page)
            cut(links)
            until_cut_is_over = time.monotonic() + 6
            while time.monotonic() < until_cut_is_over:
                assert step_of(page) >= before, "it goes on, and does not begin anew"
                assert server.runs() == 1
            assert step_of(page) > before
        page.locator(".st-key-error-bound-stop button:visible").click()
        expect(page.locator(".st-key-headline-2 h2")).to_contain_text("Stopped", timeout=180_000)
        context.close()


def test_a_reloaded_tab_finds_its_paused_descent_and_another_tab_does_not(open_page, server):
    wait_for(lambda: server.runs() == 0)
    page = open_page(DESCENT, path="error_bound")
    wait_for(lambda: step_of(page) > 20, 180)
    headline = page.locator(".st-key-headline-2 h2")
    page.locator(".st-key-error-bound-run-button button:visible").click()
    expect(headline).to_contain_text("Paused")
    reached = step_of(page)
    assert reached > 20
    page.reload()
    expect(headline).to_contain_text("Paused")
    assert step_of(page) == reached
    assert server.runs() == 1
    other = open_page(page.url.split("?", 1)[1], path="error_bound")
    wait_for(lambda: 0 < step_of(other) != reached, 180)
    assert "Descending" in other.locator(".st-key-headline-2 h2").inner_text()
    assert step_of(page) == reached
    for each in (page, other):
        each.locator(".st-key-error-bound-stop button:visible").click()
    wait_for(lambda: server.runs() == 0)


def test_a_reloaded_tab_finds_its_comparison(open_page, server: Server):
    page = open_page("index=7&attack_steps=20&methods=cnn,bsd-gan-paper&run=1", path="compare")
    headline, cards = page.locator(".st-key-headline-compare h2"), page.get_by_role("article")
    expect(headline).to_contain_text("is read right by", timeout=180_000)
    wait_for(lambda: server.runs() == 0)
    texts = cards.all_inner_texts()
    assert any(re.search(r"\d m?s", text) for text in texts), "the times would be others"
    page.reload()
    expect(headline).to_contain_text("is read right by", timeout=180_000)
    wait_for(lambda: server.runs() == 0)
    assert cards.all_inner_texts() == texts


def test_a_tab_that_streamlit_has_forgotten_goes_on_with_its_paused_descent(
    visit, browser, tmp_path
):
    """It gets a new session, in which the script has never run, and its buttons work at once."""
    with serving_app(tmp_path, server_disconnectedSessionTTL=1) as server:  # not two minutes
        port = int(server.url.rsplit(":", 1)[1].strip("/"))
        with proxy(port) as (through, links, line):
            context = browser.new_context()  # a page without a server complains in the console
            page = context.new_page()
            page.goto(f"http://localhost:{through}/error_bound?{DESCENT}")
            headline = page.locator(".st-key-headline-2 h2")
            wait_for(lambda: step_of(page) > 20, 180)
            page.locator(".st-key-error-bound-run-button button:visible").click()
            expect(headline).to_contain_text("Paused")
            reached = step_of(page)
            line.clear()
            cut(links)
            page.wait_for_timeout(2000)
            other = visit(f"{server.url}tables")
            expect(other.locator(".st-key-headline-tables h2")).to_be_visible(timeout=180_000)
            other.close()  # Streamlit looks when another visitor leaves
            page.wait_for_timeout(1000)
            line.set()
            page.wait_for_timeout(12_000)
            assert step_of(page) == reached
            page.locator(".st-key-error-bound-step button:visible").click()
            wait_for(lambda: step_of(page) == reached + 1, 60)
            assert "does not exist anymore" not in server.log.read_text()
            page.locator(".st-key-error-bound-stop button:visible").click()
            wait_for(lambda: server.runs() == 0)
            context.close()
