"""The page "Compare" without a browser: toy parts, and methods made for tests."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.compare import compare_registry as registry
from pages.ui.compare import compare_request as requests
from pages.ui.compare import opening
from pages.ui.compare.compare_request import CompareRequest
from pages.ui.compare.section_strength import take
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.undo import undo_registry as session
from red_core.run.settings import RunSettings
from tests.pages.conftest import end_all, remembered, rerun_until, slots, written
from tests.pages.ui.compare.conftest import Slow

APP = str(Path(__file__).resolve().parents[4] / "pages/main.py")
SMALL = {"attack_steps": "2", "index": "3", "methods": "fake,slow"}
STRIP, METHODS = "strength", "compare"  # names of the headlines


@pytest.fixture(autouse=True)
def toy(monkeypatch, parts: LoadedModels, fakes):
    session.load_models.clear()
    registry.fitted.clear()
    registry.kept_sweeps().clear()
    monkeypatch.setattr(session, "load_bundle", lambda *_: parts.bundle)
    monkeypatch.setattr(requests, "_STORY", ("fake", "slow"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    session.load_models.clear()
    registry.fitted.clear()
    registry.kept_sweeps().clear()


@pytest.fixture(autouse=True, scope="module")
def made():
    """Every registry that a page makes."""
    with remembered(registry.CompareRegistry) as found:
        yield found


@pytest.fixture(autouse=True)
def workers(made: list[registry.CompareRegistry]):
    """What a page has begun is ended afterwards."""
    yield
    end_all(made)


@pytest.fixture
def cards(monkeypatch) -> dict[str, object]:
    """The cards as they were last drawn, by title."""
    from pages.ui.compare import section_methods

    drawn: dict[str, object] = {}
    make = section_methods.card_of

    def noticed(attempt, context):
        card = make(attempt, context)
        drawn[card.title] = card
        return card

    monkeypatch.setattr(section_methods, "card_of", noticed)
    return drawn


def opened(query: dict[str, str] | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("compare.py")
    for name, value in {**SMALL, **(query or {})}.items():
        app.query_params[name] = value
    return app.run()


def test_a_target_that_is_the_own_class_is_left_out_and_said():
    app = opened({"target": "3"})
    assert not app.exception
    assert "it is the image's own class" in app.warning[0].value


def headline(app: AppTest, name: str = METHODS) -> str:
    if f"headline-{name}" in slots(app):
        return written(app, f"headline-{name}")
    return str(app.header[0 if name == "image" else 1].value)  # what does not change by itself


def said(app: AppTest) -> str:
    live = [written(app, slot) for slot, shown in slots(app).items() if "html" in shown]
    return " ".join([*(caption.value for caption in app.caption), *live])


def widget(app: AppTest, kind: str, label: str):
    return next(one for one in getattr(app, kind) if one.label.startswith(label))


def pills(app: AppTest):
    return widget(app, "pills", "Methods")


def test_the_page_opens_and_nothing_runs_by_itself(cards) -> None:
    app = opened()
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert "read as" in headline(app, "image")
    assert headline(app) == "Not run yet: press Run."
    assert headline(app, STRIP) == "How strong must the attack be? Press Sweep."
    assert list(cards) == ["Fake", "Slow and steady"]
    assert {card.status for card in cards.values()} == {"not run yet"}


def test_a_visit_without_a_link_sweeps_an_image_on_which_methods_differ(monkeypatch, made) -> None:
    monkeypatch.setattr(opening, "differing", lambda dataset, attack: 4)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("compare.py").run()
    assert (app.query_params["index"], app.query_params["sweep"]) == ("4", "1")
    rerun_until(app, lambda a: a.button("compare.sweep").label == "Sweep again")
    assert "is read" in headline(app, STRIP)
    monkeypatch.setattr(Slow, "classify", None)  # asked again it would fail
    made[0].clear()
    again = opened({"attack_steps": "100", "index": "4", "sweep": "1"})
    rerun_until(again, lambda a: a.button("compare.sweep").label == "Sweep again")
    assert headline(again, STRIP) == headline(app, STRIP), "the next visitor finds it computed"


def test_the_first_image_is_one_that_divides_the_methods(monkeypatch) -> None:
    opening.differing.cache_clear()
    digits = "0123456789"
    said = {"fake": "0123456789", "slow": "0123496789", "other": "9876543210"}
    kept = {
        "true": digits,
        "blocks": {"psi": {"linf": {key: {"signal": text} for key, text in said.items()}}},
    }
    monkeypatch.setattr(opening, "load_answers", lambda *_: kept)
    assert opening.differing("mnist", "linf") == 5, "one of the two shown at first is wrong"
    opening.differing.cache_clear()
    monkeypatch.setattr(opening, "load_answers", lambda *_: None)
    assert opening.differing("mnist", "linf") == 0
    opening.differing.cache_clear()


def test_every_control_has_help_that_teaches() -> None:
    app = opened()
    controls = [
        *app.selectbox, *app.number_input, *app.segmented_control, *app.pills, *app.button,
    ]  # fmt: skip
    assert len(controls) >= 12
    assert [one.label for one in controls if not one.help] == []


def test_a_run_fills_the_cards_and_the_link(cards) -> None:
    app = opened()
    app.button("compare.run").click().run()
    rerun_until(app, lambda a: "read right" in headline(a))
    assert headline(app) == (
        "The 3 is read right by both methods; the attack is named by both methods."
    )
    assert "Right: Fake and Slow and steady." in said(app)
    assert app.query_params["run"] == "1"
    steady = cards["Slow and steady"]
    assert steady.strip is not None
    assert [row.mark for row in steady.answers] == ["right", "right", "wrong", "wrong"]
    assert app.button("compare.run").label == "Run again"
    assert app.button("compare.stop").disabled


def test_a_method_that_joins_runs_alone_and_the_others_stay(cards, monkeypatch) -> None:
    app = opened()
    app.button("compare.run").click().run()
    rerun_until(app, lambda a: "read right" in headline(a))
    pills(app).set_value(["fake", "slow", "namer", "broken", "missing"]).run()
    assert app.query_params["methods"] == "fake,slow,namer,broken,missing"
    assert cards["Namer"].status == "not run yet"
    assert cards["Fake"].answers[0].said == "3"
    monkeypatch.setattr(Slow, "classify", None)  # asked again it would fail
    app.button("compare.run").click().run()
    rerun_until(app, lambda a: a.button("compare.run").label == "Run again")
    assert "named by 2 of 3 methods" in headline(app)
    assert cards["Broken"].message == "It failed: this image is not to its taste."
    assert "nowhere.safetensors" in cards["Missing"].message
    assert cards["Slow and steady"].answers[0].mark == "right"
    assert not app.exception


def test_stop_ends_a_run(cards, monkeypatch) -> None:
    monkeypatch.setattr(Slow, "pace", 0.02)
    monkeypatch.setattr(Slow, "steps", 10**6)
    app = opened({"run": "1"})
    rerun_until(app, lambda _: cards["Slow and steady"].status.startswith("step"))
    assert headline(app) == "Running Slow and steady: 2 of 2."
    assert cards["Slow and steady"].busy
    app.button("compare.stop").click().run()
    rerun_until(app, lambda a: a.button("compare.stop").disabled)
    assert cards["Slow and steady"].status.startswith("stopped at step")
    assert cards["Slow and steady"].pictures[0].source, "what was seen stays"
    assert app.button("compare.run").label == "Run"


def test_a_sweep_says_where_each_breaks() -> None:
    app = opened({"methods": "fake,namer"})
    app.button("compare.sweep").click().run()
    rerun_until(app, lambda a: "every strength" in headline(a, STRIP))
    assert headline(app, STRIP) == (
        "The 3 is read at every strength by the one method that answers."
    )
    assert "The attack named right: Fake at 8 of 9 and Namer at 0 of 9 strengths." in said(app)
    assert app.query_params["sweep"] == "1"
    assert app.button("compare.sweep").label == "Sweep again"
    again = opened({"methods": "fake,namer", "sweep": "1"})
    rerun_until(again, lambda a: "every strength" in headline(a, STRIP))


def test_images_in_colour_are_compared_and_swept(cards, colour_pages) -> None:
    app = opened({"dataset": "cifar10", "index": "7"})
    app.button("compare.run").click().run()
    rerun_until(app, lambda a: {card.status[-1:] for card in cards.values()} == {"s"})
    for shown in cards.values():
        for picture in shown.pictures:
            assert opened_picture(picture.source).shape == (32, 32, 3)
        assert shown.pictures[1].caption.endswith(" around grey")
    strip = cards["Slow and steady"].strip
    assert strip is not None
    assert opened_picture(strip.source).shape == (32, 32 * len(strip.captions), 3)
    app.button("compare.sweep").click().run()
    rerun_until(app, lambda a: headline(a, STRIP).startswith("The horse is read"))
    assert not app.exception


def opened_picture(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


def test_another_strength_keeps_the_sweep_and_asks_for_a_new_run(cards) -> None:
    app = opened({"sweep": "1", "run": "1"})
    rerun_until(
        app, lambda a: "every strength" in headline(a, STRIP) and "read right" in headline(a)
    )
    widget(app, "number_input", "Budget").set_value(0.15).run()
    assert app.query_params["eps"] == "0.15"
    assert "run" not in app.query_params
    assert headline(app) == "Not run yet: press Run."
    assert "every strength" in headline(app, STRIP)


def test_a_click_takes_a_strength_over(monkeypatch) -> None:
    from pages.ui.link import page_request

    current = CompareRequest(RunSettings(index=3, attack="l2"))
    state = {"compare.request": current}
    monkeypatch.setattr(page_request.st, "session_state", state)
    take(current, 0)
    assert state["compare.request"] is current, "no attack is no strength"
    take(current, 3)
    settings = state["compare.request"].settings
    assert (settings.eps, settings.step_size) == (1.5, 0.075)
    take(current, 4)
    assert state["compare.request"].settings == current.settings, "the paper's own"


@pytest.mark.parametrize(
    ("query", "words"),
    [({"attack": "none"}, "no attack to make stronger"), ({"source": "realizable"}, "no ε")],
)
def test_where_there_is_nothing_to_sweep_the_page_says_so(query, words) -> None:
    app = opened({**query, "sweep": "1"})
    assert words in headline(app, STRIP)
    assert not app.exception
    app.button("compare.run").click().run()
    rerun_until(app, lambda a: "read right" in headline(a))


def test_a_bad_link_is_named_and_the_rest_of_it_stands() -> None:
    app = opened({"eps": "-1", "methods": "fake,magic", "seed": "5", "index": "9999"})
    told = " ".join(warning.value for warning in app.warning)
    for word in ("eps", "'magic'", "no example 9999"):
        assert word in told
    assert app.query_params["seed"] == "5"
    assert pills(app).value == ["fake"]
    widget(app, "number_input", "Seed").set_value(6).run()
    assert not app.warning


def test_no_method_at_all_is_a_choice() -> None:
    app = opened({"methods": "none"})
    assert headline(app) == "Choose at least one method."
    assert app.button("compare.run").disabled
    assert app.button("compare.sweep").disabled
    widget(app, "selectbox", "Choose a group").set_value("All").run()
    assert len(pills(app).value) == 6
    assert app.query_params["methods"] == "fake,slow,namer,broken,missing,damaged"


def test_teaching_mode_hides_the_controls() -> None:
    app = opened({"teach": "1"})
    assert not app.sidebar.number_input
    assert app.query_params["teach"] == "1"
    assert app.button("compare.run") is not None


def test_the_main_pages_image_is_taken_over() -> None:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in {"index": "4", "attack": "l2", "attack_steps": "2"}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    app.query_params.clear()
    app.switch_page("compare.py").run()
    assert not app.exception
    assert app.query_params["index"] == "4"
    assert app.query_params["attack"] == "l2"
    button = app.button("compare.take")
    assert button.disabled, "it is the main page's already"
    widget(app, "segmented_control", "Norm").set_value("l1").run()
    assert app.query_params["attack"] == "l1"
    app.button("compare.take").click().run()
    assert app.query_params["attack"] == "l2"
