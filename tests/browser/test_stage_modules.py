"""The stage's own modules in a browser: what it says in words, and which frames it keeps."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page

from pages.ui.stage.files import DIGEST
from tests.browser.conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HEADER = {
    "dataset": "mnist",
    "source": "example",
    "classes": list("0123456789"),
    "attacks": ["linf", "l2", "l1"],
    "label": 7,
    "attack": "l2",
    "attack_steps": 200,
    "total": 140,
    "latent": True,
}
VERDICT = {
    "state": "finished",
    "signal": 7,
    "adversarial": 7,
    "attack": "l2",
    "signal_probabilities": [1.0],
    "attack_probabilities": [1.0],
    "has_evidence": True,
    "seconds": 2.0,
}
FAILED = "The attack failed: the classifier still reads a 7."
DOT = " with a dot in the gallery: this attack fools the classifier on those"
STEP = f"The classifier withstands this much. Try a larger budget, or another digit{DOT}."


@pytest.fixture(scope="module")
def page(browser, server: Server):
    """A page of the server's origin, from which its modules can be imported."""
    context = browser.new_context()
    found = context.new_page()
    found.goto(f"{server.url}stage/{DIGEST}/stage.css")
    yield found
    context.close()


def said(
    page: Page, record: dict[str, Any] | None = None, notice: str = "", **other: Any
) -> tuple[str, str]:
    """The line and the detail; record: the shown moment, where it is not the end."""
    header = {**HEADER, **{key: value for key, value in other.items() if key in HEADER}}
    verdict = {**VERDICT, **other.get("verdict", {})}
    store = {
        "header": header,
        "record": record or {},
        "status": {"state": "finished", "error": "", "notice": notice},
        "verdict": verdict,
        "attacked": other.get("attacked"),
        "atEnd": record is None,
    }
    found = page.evaluate(
        """async ([module, store]) => (await import(module)).sentences(store)""",
        [f"/stage/{DIGEST}/headline.js", store],
    )
    return found["line"], found["detail"]


def attacking(k: int, read: int) -> dict[str, Any]:
    psi = [0.9 if label == read else 0.01 for label in range(10)]
    return {"phase": "attack", "k": k, "psi": psi}


def test_a_limit_is_said_below_the_verdict_of_the_run_that_it_ended(page: Page) -> None:
    assert said(page, notice="It was stopped.")[1] == "It was stopped."
    assert said(page, attacking(199, 7), notice="It was stopped.")[1] != "It was stopped."


def test_an_attack_that_failed_says_so_at_its_end(page: Page) -> None:
    assert said(page, attacking(200, 7)) == (FAILED, STEP)
    assert said(page, attacking(199, 7))[0].startswith("Making the attack")
    assert said(page, attacking(200, 3))[0] == "Making the attack: the classifier reads a 3 (90%)."


def test_the_verdict_says_that_the_attack_failed(page: Page) -> None:
    assert said(page) == (FAILED, STEP)
    line, detail = said(page, verdict={"signal": 2})
    assert line == f"{FAILED} Underneath it finds a 2."
    assert detail == STEP
    line, detail = said(page, verdict={"adversarial": 3})
    assert line == "It reads as a 3. Underneath is a 7, hidden by an ℓ2 attack."
    assert detail.startswith("Signal >99% sure")


def test_where_no_attack_was_made_none_failed(page: Page) -> None:
    clean = {"attack": "none", "attack_steps": 0, "verdict": {"attack": "none"}}
    assert said(page, **clean)[0] == (
        "It reads as a 7, and that is right; nothing was added to it."
    )
    assert "failed" not in said(page, label=None)[0]


def test_the_step_that_is_offered_is_one_that_there_is(page: Page) -> None:
    own = said(page, source="own")[1]
    words = "The classifier withstands this much. Try a larger budget, or another"
    assert own == f"{words} digit."
    assert said(page, dataset="fashion")[1] == f"{words} picture{DOT}."
    assert said(page, dataset="cifar10")[1] == f"{words} picture."


def test_an_attack_that_did_not_move_says_so(page: Page) -> None:
    line, detail = said(page, attacked={"still": True})
    assert line == FAILED
    assert detail.startswith("It did not leave its random start")


IDEAL: dict[str, Any] = {"source": "realizable", "attack_steps": 0, "label": 4}
NAMED = {"attack_names": ["linf", "l2", "l1", "none"], "attack_probabilities": [0.0, 1.0, 0, 0]}
LEARNED = "The attacks' names were learned from real pictures"


def test_an_ideal_instance_that_is_called_unknown_says_why(page: Page) -> None:
    found = {"signal": 4, "attack": "unknown", **NAMED}
    line, detail = said(page, **IDEAL, verdict=found)
    assert line == (
        "It reads as a 7. Underneath is a 4; "
        "of the known answers an ℓ2 attack fits best, and that is right."
    )
    assert detail.startswith(LEARNED)
    assert detail.endswith("so it counts as unknown.")
    line, _ = said(page, **IDEAL, attack="l1", verdict=found)
    assert line.endswith("fits best, and it was ℓ1.")
    line, detail = said(page, **IDEAL, verdict={"signal": 4, **NAMED})
    assert line == "It reads as a 7. Underneath is a 4, hidden by an ℓ2 attack."
    assert detail.startswith(LEARNED), "the evidence is asked, and that is said"
    assert "unknown" not in detail
    line, detail = said(page, label=4, attack_steps=0, verdict=found)
    assert line.endswith("the attack is like none of the known ones, though it was ℓ2.")
    assert LEARNED not in detail


def test_a_tie_of_block_residuals_is_called_a_tie(page: Page) -> None:
    rules = {"signal": 4, "adversarial": 3, "has_evidence": False, "block_margin": 0.0002}
    residuals = [[2.0, 1.0, 3.0], [1.0002, 2.0, 3.0]]  # of two classes
    detail = said(page, label=4, verdict={**rules, "block_residuals": residuals})[1]
    assert detail.endswith("the best blocks of ℓ∞ and ℓ2 leave the same: a tie.")
    apart = {**rules, "block_margin": 0.02, "block_residuals": residuals}
    assert said(page, label=4, verdict=apart)[1].endswith("leaves 2.0% more.")
    cells = page.evaluate(
        """async ([module, verdict]) => {
             const { Verdict } = await import(module)
             const parent = document.createElement("div")
             const header = { classes: [..."0123456789"], label: 4, attack: "l2", settings: {} }
             new Verdict(parent, () => {}).draw({ header, verdict, atEnd: true, truth: true })
             return [...parent.querySelectorAll("td")].map((cell) => cell.textContent) }""",
        [
            f"/stage/{DIGEST}/verdict.js",
            {**VERDICT, **NAMED, **rules, "psi": 4, "block": "l2"},
        ],
    )
    assert cells[-1] == "ℓ2 ✓ (a tie)"


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        ([0] * 60, [0]),  # nothing changes: one frame, not twenty-five equal ones
        ([0] * 20 + [90] * 40, [0, 20]),
        ([10 * k for k in range(20)], list(range(20))),
    ],
)
def test_frames_are_kept_where_the_picture_changes(page: Page, steps, wanted) -> None:
    assert kept(page, steps) == wanted


def test_never_more_frames_are_kept_than_the_grid_has(page: Page) -> None:
    found = kept(page, [k % 256 for k in range(256)])
    assert 8 <= len(found) <= 24
    assert found[0] == 0
    apart = [later - earlier for earlier, later in pairwise(found)]
    assert max(apart) <= 3 * min(apart), "as even as the change is"


def kept(page: Page, brightness: list[int]) -> list[int]:
    """Which of these pictures of one brightness each the store keeps as frames."""
    found: list[int] = page.evaluate(
        """async ([module, brightness]) => {
             const { RunStore } = await import(module)
             const store = new RunStore()
             brightness.forEach((value, k) => store._add({ k, phase: "start", explained_scale: 0,
               energy: [0], image: new Uint8Array(16).fill(value) }))
             return store.kept }""",
        [f"/stage/{DIGEST}/store.js", brightness],
    )
    return found


def test_each_picture_that_was_read_has_a_column(page: Page) -> None:
    """A weighed verdict shows each of its sources; an older recording or one source shows none."""
    verdict = {
        "signal_probabilities": [0.9, 0.1],
        "psi_probabilities": [0.6, 0.4],
        "adversarial_probabilities": [0.1, 0.9],
        "has_reader": True,
    }
    names = ("G(z)", "D(x')", "x'")
    sources = [{"name": name, "probabilities": [0.5, 0.5]} for name in names]

    def headings(**more: Any) -> tuple[list[str], str]:
        found = page.evaluate(
            """async ([module, verdict]) => (await import(module)).readings(verdict)""",
            [f"/stage/{DIGEST}/inspect.js", {**verdict, **more}],
        )
        return [name for name, _ in found["columns"]], found["words"]

    plain = ["this method", "ψ on G(z)", "ψ on x′"]
    assert headings()[0] == headings(sources=sources[:1])[0] == plain
    columns, words = headings(sources=sources)
    assert columns == ["this method", "it on G(z)", "it on D(x′)", "it on x′", *plain[1:]]
    assert "weighed" in words
    assert "weighed" not in headings()[1]
