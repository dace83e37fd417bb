"""The drawing pad alone in a browser, without a server: real mouse, touch and pen events."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from pages.ui.widgets import drawing_pad
from pages.ui.widgets.drawing_pad import SIDE, decode_ink

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MODULE = (Path(drawing_pad.__file__).parent / "drawing.js").read_text(encoding="utf-8")
ADDRESS = "data:text/javascript;base64," + base64.b64encode(MODULE.encode()).decode()
STYLE = "canvas { display: block; width: 224px; height: 224px; touch-action: none }"
MOUNT = """async ([address, html]) => {
  const { default: component } = await import(address)
  window.sent = []
  document.body.replaceChildren()
  const parentElement = document.createElement("div")
  parentElement.innerHTML = html
  document.body.append(parentElement)
  component({
    data: { label: "Draw here", pen: 8 }, parentElement,
    setStateValue: (name, value) => window.sent.push(value),
  })
}"""


class Pad:
    """A mounted pad and the hands at it; places are in pixels of the page, the pad's from 8 on."""

    def __init__(self, page) -> None:
        self.page = page
        page.set_content(f"<style>{STYLE} body {{ margin: 8px }}</style>")
        self.wire = page.context.new_cdp_session(page)
        self.mount()

    def mount(self) -> None:
        self.page.evaluate(MOUNT, [ADDRESS, drawing_pad._HTML])

    def touch(self, kind: str, *points: tuple[int, float, float]) -> None:
        listed = [{"id": number, "x": x, "y": y} for number, x, y in points]
        self.wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": listed})

    def pen(self, kind: str, x: float, y: float) -> None:
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        self.wire.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen"})

    def stroke(self, x: float, button: str = "left") -> None:
        """A line from top to bottom with the mouse."""
        self.page.mouse.move(x, 40)
        self.page.mouse.down(button=button)
        self.page.mouse.move(x, 200, steps=6)
        self.page.mouse.up(button=button)

    def ink(self) -> np.ndarray:
        """What the canvas shows, [112, 112]."""
        alpha = self.page.evaluate(
            """(side) => {
              const { data } = document.querySelector("canvas").getContext("2d")
                .getImageData(0, 0, side, side)
              return Array.from({ length: side * side }, (_, i) => data[4 * i + 3])
            }""",
            SIDE,
        )
        return np.array(alpha, np.uint8).reshape(SIDE, SIDE)

    def columns(self) -> list[int]:
        """The columns with ink, every tenth: a line of width 8 is one or two of them."""
        return sorted({int(x) // 10 for x in np.flatnonzero(self.ink().any(0))})

    def sent(self) -> list[str]:
        return self.page.evaluate("window.sent")


@pytest.fixture
def pad(browser):
    context = browser.new_context(has_touch=True, viewport={"width": 500, "height": 400})
    made = Pad(context.new_page())
    yield made
    context.close()


def test_a_stroke_is_drawn_and_sent(pad: Pad) -> None:
    pad.stroke(8 + 100)
    assert set(pad.columns()) <= {4, 5}
    (text,) = pad.sent()
    assert np.array_equal(decode_ink(text), pad.ink())


@pytest.mark.parametrize("button", ["right", "middle"])
def test_other_buttons_draw_nothing(pad: Pad, button: str) -> None:
    pad.stroke(8 + 100, button)
    assert pad.columns() == []
    assert pad.sent() == []
    pad.page.mouse.move(8 + 100, 40)
    pad.page.mouse.down()
    pad.page.mouse.down(button=button)  # pressed beside the primary one
    pad.page.mouse.move(8 + 100, 200, steps=4)
    pad.page.mouse.up(button=button)
    pad.page.mouse.up()
    assert set(pad.columns()) <= {4, 5}
    assert pad.columns()


def test_a_second_finger_draws_nothing(pad: Pad) -> None:
    pad.touch("touchStart", (1, 58, 40))
    pad.touch("touchStart", (1, 58, 40), (2, 208, 40))
    for y in (80, 120, 160):
        pad.touch("touchMove", (1, 58, y), (2, 208, 240 - y))
    pad.touch("touchMove", (1, 58, 190))  # the second finger is lifted
    pad.touch("touchEnd")
    assert pad.columns()
    assert max(pad.columns()) <= 3, "no block between the fingers"
    assert len(pad.sent()) == 1


def test_a_touch_that_the_browser_takes_away_is_no_stroke(pad: Pad) -> None:
    pad.touch("touchStart", (1, 58, 40))
    pad.touch("touchMove", (1, 58, 90))
    pad.touch("touchCancel")
    assert pad.columns() == []


def test_a_palm_beside_a_pen_draws_nothing(pad: Pad) -> None:
    pad.touch("touchStart", (1, 200, 200))  # the hand is laid down first
    pad.pen("mousePressed", 58, 40)
    for y in (80, 120, 160):
        pad.pen("mouseMoved", 58, y)
        pad.touch("touchMove", (1, 200, 200 - y / 10))
    pad.pen("mouseReleased", 58, 160)
    pad.touch("touchEnd")
    assert pad.columns()
    assert max(pad.columns()) <= 3
    pad.touch("touchStart", (1, 200, 200))
    pad.touch("touchEnd")
    assert max(pad.columns()) <= 3


def test_who_comes_back_finds_the_drawing_and_adds_to_it(pad: Pad) -> None:
    pad.stroke(8 + 40)
    before = pad.ink()
    pad.mount()  # another source was chosen, and this one again
    assert np.array_equal(pad.ink(), before)
    assert np.array_equal(decode_ink(pad.sent()[-1]), before), "and Python hears of it"
    pad.stroke(8 + 180)
    assert len(set(pad.columns())) >= 2
    assert np.array_equal(decode_ink(pad.sent()[-1]), pad.ink())


def test_undo_and_clear_empty_the_pad_and_say_so(pad: Pad) -> None:
    pad.stroke(8 + 40)
    pad.stroke(8 + 180)
    pad.page.get_by_role("button", name="Undo stroke").click()
    assert max(pad.columns()) <= 3
    pad.page.get_by_role("button", name="Clear").click()
    assert pad.columns() == []
    assert pad.sent()[-1] == ""
    pad.mount()
    assert pad.columns() == []
