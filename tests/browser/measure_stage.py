"""How fast the stage is on this machine: `make stage` prints the figures as JSON.

Ratios where possible: the run in the app over the same solve on one thread of this process, in one
session, in turn. Once over the solve with every record made (psi's reading of G(z), the run's plane
and its surfaces): what server and browser cost; once over the solve whose iterates are observed and
no more: what watching costs in all. Needs a Chromium (RED_CHROMIUM names it).
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Page, sync_playwright

from pages.ui.learn.view import lessons
from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.observe import observe
from red_core.recording.run_recorder import RunRecorder, live_mu
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.experiment import begin_run, craft_example, start_seeds
from red_core.run.settings import RunSettings
from tests.browser.conftest import FLAGS, find_chromium, serving_app
from tests.browser.stage import press, ready, stage, until

ROUNDS = 5
LESSON_LIMIT = 1.5  # seconds in which a lesson's first step is to be there
WATCH = """() => { const find = (node) => { for (const each of node.querySelectorAll("*")) {
    if (each.stage) return each
    const found = each.shadowRoot && find(each.shadowRoot)
    if (found) return found } return null }
  window.watched = []
  let root = null // searched for once: a search in every frame would slow what is measured
  const look = () => { root = root?.isConnected ? root : find(document)
    if (root) window.watched.push([performance.now(), Number(root.dataset.paints || 0),
      Number(root.dataset.records || 0), root.dataset.state, root.dataset.verdict || ""])
    requestAnimationFrame(look) }
  look() }"""


def alone(bundle: Bundle, settings: RunSettings, recorded: bool) -> float:
    """Seconds of the solve without an app, the attack not counted.

    recorded: whether every record is made that the app's run makes; else iterates are observed.
    """
    example, options = craft_example(bundle, settings), settings.solver_options()
    recorder = RunRecorder(bundle, settings)
    recorder.attacked(example)

    def observed() -> None:
        iterate = observe(problem, state, options)
        if recorded:
            recorder.iterate(problem, iterate, live_mu(iterate, None, None))

    begun = time.perf_counter()
    problem, state = begin_run(bundle, example.attacked, options, start_seeds(settings))
    observed()
    while not finished(state, options):
        state = step(problem, state, options)
        observed()
    return time.perf_counter() - begun


def live(page: Page, address: str, index: int) -> dict[str, float]:
    """One run in the app at pace=full: paints a second, seconds of its solve, of its beginning."""
    page.goto(f"{address}?index={index}&pace=full")
    ready(page)
    page.evaluate(WATCH)
    page.wait_for_timeout(300)
    pressed = page.evaluate("() => performance.now()")
    press(page, "primary")
    until(page, lambda now: now["state"] == "finished" and now["verdict"] == "shown")
    looks = page.evaluate("() => window.watched")
    seconds = stage(page).evaluate(
        """(root) => root.stage.store.records.filter((record) => record.phase !== "attack")
             .map((record) => record.seconds)"""
    )
    some = [look for look in looks if look[2] > 0]
    last = max(look[2] for look in looks)
    whole = next(look for look in looks if look[2] == last)
    return {
        "paints_a_second": (whole[1] - some[0][1]) / max((whole[0] - some[0][0]) / 1000, 1e-3),
        "solve": seconds[-1] - seconds[0],
        "first_record": (some[0][0] - pressed) / 1000,
    }


def pause(page: Page, address: str, seed: int) -> float:
    """Seconds from the key to the last record that comes."""
    page.goto(f"{address}?index=3&seed={seed}&pace=full&solver.steps=3000&solver.halve_at=")
    ready(page)
    press(page, "primary")
    until(page, lambda now: int(now["records"]) > 120)
    page.evaluate(WATCH)
    begun = page.evaluate("() => performance.now()")
    page.keyboard.press(" ")
    page.wait_for_timeout(1500)
    looks = page.evaluate("() => window.watched")
    still = next(now for now, _, records, _, _ in looks if records == looks[-1][2])
    return max(0.0, (still - begun) / 1000)


def scrub(page: Page) -> float:
    """Paints a second while the slider is dragged over a finished run."""
    box = page.get_by_role("slider", name="Moment of the run").bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.evaluate(WATCH)
    page.mouse.down()
    begun, moves = time.monotonic(), 0
    while time.monotonic() - begun < 2:
        moves += 1
        share = abs((moves % 120) / 60 - 1)
        page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), box["y"] + box["height"] / 2)
    page.mouse.up()
    looks = page.evaluate("() => window.watched")
    return (looks[-1][1] - looks[0][1]) / ((looks[-1][0] - looks[0][0]) / 1000)


def opened(page: Page, address: str, drawn: str) -> float:
    """Seconds from navigation until the stage is drawn; drawn: of `root`, in JavaScript."""
    page.goto(address)
    stage(page).wait_for(state="attached")
    page.wait_for_function(
        f"""() => {{ const find = (node) => {{ for (const each of node.querySelectorAll("*")) {{
             if (each.stage) return each
             const found = each.shadowRoot && find(each.shadowRoot)
             if (found) return found }} return null }}
           const root = find(document)
           return root && {drawn} }}""",
        polling="raf",
    )
    return float(page.evaluate("() => performance.now()")) / 1000


def first_picture(page: Page, address: str) -> float:
    """Seconds from navigation to the first painted record of the main page's recorded run."""
    return opened(page, address, "Number(root.dataset.shown) >= 0")


def first_step(page: Page, address: str) -> float:
    """Seconds from navigation to a lesson's first step: its recorded run, a moment of it drawn."""
    drawn = f"root.dataset.presented?.startsWith('{lessons()[0]['steps'][0]['run']} ')"
    return opened(page, f"{address}learn", f"{drawn} && Number(root.dataset.shown) >= 0")


def measure() -> dict[str, Any]:
    """All figures: medians of ROUNDS."""
    torch.set_num_threads(1)
    bundle = load_bundle("mnist", "cpu")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving_app(Path(folder)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(120_000)
        page = context.new_page()
        live(page, server.url, 0)  # models are loaded, caches are filled
        alone(bundle, RunSettings(index=0), recorded=True)
        runs, bare, recorded = [], [], []
        for index in range(1, ROUNDS + 1):
            page.goto("about:blank")
            bare.append(alone(bundle, RunSettings(index=index), recorded=False))
            recorded.append(alone(bundle, RunSettings(index=index), recorded=True))
            runs.append(live(page, server.url, index))
        page.keyboard.press("End")
        scrubbed = scrub(page)
        paused = [pause(page, server.url, seed) for seed in range(1, 4)]
        pictures, steps = [], []
        first_step(page, server.url)  # the browser's cache is filled with the page's own modules
        for _ in range(ROUNDS):
            page.goto("about:blank")
            pictures.append(first_picture(page, server.url))
            page.goto("about:blank")
            steps.append(first_step(page, server.url))
        browser.close()
    middle = statistics.median

    def over(others: list[float]) -> float:
        return round(middle(run["solve"] / one for run, one in zip(runs, others, strict=True)), 2)

    return {
        "paints_a_second": round(middle(run["paints_a_second"] for run in runs), 1),
        "run_over_recorded_solve": over(recorded),
        "run_over_bare_solve": over(bare),
        "bare_solve_seconds": round(middle(bare), 2),
        "first_record_seconds": round(middle(run["first_record"] for run in runs), 3),
        "pause_seconds": round(middle(paused), 3),
        "scrub_paints_a_second": round(scrubbed, 1),
        "first_picture_seconds": round(middle(pictures), 2),
        "lesson_first_step_seconds": round(middle(steps), 2),
        "lesson_first_step_over_1.5_s": round(middle(steps) / LESSON_LIMIT, 2),
    }


if __name__ == "__main__":
    if find_chromium() is None:
        sys.exit("no Chromium found: install one, or set RED_CHROMIUM to its path")
    print(json.dumps(measure(), indent=1))
