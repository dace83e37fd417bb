"""The page "Landscape" without a browser: the toy parts stand for the trained ones."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.landscape import landscape_registry as registry
from pages.ui.landscape import source
from pages.ui.landscape.landscape_presets import PRESETS
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.undo import undo_registry as session
from pages.ui.widgets.live_chart import Click
from red_core.data.datasets import CLASSES
from red_core.run.settings import RunSettings
from tests.pages.conftest import end_all, remembered, rerun_until, slots, written

APP = str(Path(__file__).resolve().parents[2] / "pages/main.py")
SMALL = {"family": "example15", "m": "20"}


@pytest.fixture(autouse=True)
def toy(monkeypatch, parts: LoadedModels):
    session.load_models.clear()

    def load_bundle(dataset, *_):
        return replace(parts.bundle, dataset=dataset, class_names=CLASSES[dataset])

    monkeypatch.setattr(session, "load_bundle", load_bundle)
    yield
    session.load_models.clear()


@pytest.fixture(autouse=True, scope="module")
def made():
    """Every registry that a page makes."""
    with remembered(registry.LandscapeRegistry) as found:
        yield found


@pytest.fixture(autouse=True)
def workers(made: list[registry.LandscapeRegistry]):
    """What a page has begun is ended afterwards."""
    yield
    end_all(made)


def opened(query: dict[str, str] | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("landscape.py")
    for name, value in {**SMALL, **(query or {})}.items():
        app.query_params[name] = value
    return app.run()


def headline(app: AppTest) -> str:
    return str(app.header[0].value)


def said(app: AppTest) -> str:
    live = [written(app, slot) for slot, shown in slots(app).items() if "html" in shown]
    return " ".join([*(caption.value for caption in app.caption), *live])


def widget(app: AppTest, kind: str, label: str):
    return next(one for one in getattr(app, kind) if one.label.startswith(label))


def test_the_page_opens_and_says_what_it_found() -> None:
    app = opened()
    assert not app.exception
    assert not app.error
    assert not app.warning
    rerun_until(app, lambda a: headline(a).startswith("Every start ends at z*"))
    assert "All of them: G is linear in each of" in said(app)


def test_every_control_has_help_that_teaches() -> None:
    for query in ({}, {"family": "gaussian"}, {"show": "image", "index": "3"}):
        app = opened(query)
        controls = [
            *app.selectbox, *app.number_input, *app.segmented_control, *app.pills, *app.button,
            *app.slider, *app.toggle, *app.text_input,
        ]  # fmt: skip
        assert len(controls) >= 7
        assert [one.label for one in controls if not one.help] == []


def test_a_start_can_be_written_and_its_path_arrives() -> None:
    app = opened()
    app.text_input("landscape.start").set_value("1.5, 1; -1 0.5").run()
    assert app.text_input("landscape.start").value == ""
    assert app.query_params["starts"] == "1.500,1.000;-1.000,0.500"
    rerun_until(app, lambda a: "2 paths: 2 at rest" in said(a))
    app.button("landscape.clear").click().run()
    assert "starts" not in app.query_params
    assert "Click on a chart" in said(app)


def test_what_is_no_start_is_refused_in_words() -> None:
    app = opened()
    app.text_input("landscape.start").set_value("north").run()
    assert "A start is two numbers" in said(app)
    assert "starts" not in app.query_params
    app.text_input("landscape.start").set_value("1, 1").run()
    assert "A start is" not in said(app)


def test_random_starts_join_until_there_are_enough() -> None:
    app = opened()
    for _ in range(4):
        app.button("landscape.random").click().run()
    assert app.query_params["starts"].count(";") == 19
    app.button("landscape.random").click().run()
    assert "There can be 24 starts, not 25" in said(app)
    assert app.query_params["starts"].count(";") == 19


def test_a_click_is_a_start(monkeypatch) -> None:
    from pages.ui.landscape import synthetic

    charts = {}
    draw = synthetic.live_chart

    def noticed(figure, *, key, height, on_click=None):
        charts[key] = on_click
        draw(figure, key=key, height=height, on_click=on_click)

    monkeypatch.setattr(synthetic, "live_chart", noticed)
    opened()
    state = {
        "landscape.request": synthetic.LandscapeRequest(),
        "landscape.refused": "",
        "landscape.at": 3,
    }
    monkeypatch.setattr(st, "session_state", state)
    charts["above"](Click(0.5, -1.0, (0.51, -1.02), "loss", 0))
    charts["tall"](Click(1.0, 1.0, (1.0, 1.0), "loss", 0))
    assert state["landscape.request"].starts == ((0.51, -1.02), (1.0, 1.0))
    assert state["landscape.at"] is None


def test_paths_can_be_held_stepped_and_looked_back_along() -> None:
    app = opened({"starts": "1.5,1.5"})
    rerun_until(app, lambda a: "at rest" in said(a))
    app.button("landscape.again").click().run()
    app.button("landscape.play").click().run()
    assert app.button("landscape.play").label == "Go on"
    before = said(app)
    app.button("landscape.step").click().run()
    assert said(app) != before
    app.button("landscape.play").click().run()
    rerun_until(app, lambda a: "1 at rest" in said(a))
    app.session_state["landscape.at"] = 3  # as the slider does
    app.run()
    assert slots(app)["landscape-steps"]["k"] == 3
    assert "at rest" in said(app)


@pytest.mark.parametrize("place", range(len(PRESETS)), ids=lambda place: PRESETS[place].name)
def test_every_preset_runs(place: int) -> None:
    app = opened()
    app.pills("landscape.preset").set_value(place).run()
    assert not app.exception
    settings = PRESETS[place].request.settings
    assert widget(app, "number_input", "Outputs m").value == settings.m
    assert widget(app, "selectbox", "Activation").value == settings.activation
    assert app.query_params["starts"].count(";") == len(PRESETS[place].request.starts) - 1
    rerun_until(app, lambda a: "start" in headline(a))


def test_a_family_brings_its_own_scale_layers_and_least_m() -> None:
    app = opened({"m": "5"})
    widget(app, "selectbox", "Family").set_value("three_layer").run()
    assert not app.error
    assert app.query_params["family"] == "three_layer"
    assert widget(app, "number_input", "Outputs m").value == 20
    assert widget(app, "selectbox", "Scale").value == "1/m"
    widget(app, "selectbox", "Activation").set_value("softplus").run()
    assert widget(app, "number_input", "β").value == 10
    assert app.query_params["activation"] == "softplus"
    assert "parameter" not in app.query_params


def test_a_bad_link_is_named_and_the_rest_of_it_stands() -> None:
    app = opened({"rate": "-1", "starts": "a,b", "seed": "5"})
    told = " ".join(warning.value for warning in app.warning)
    assert "rate" in told
    assert "starts" in told
    assert app.query_params["seed"] == "5"
    widget(app, "number_input", "Seed").set_value(6).run()
    assert not app.warning
    assert app.query_params["seed"] == "6"


def test_an_images_run_is_cut_and_can_be_looked_along() -> None:
    app = opened({"show": "image", "index": "3", "kind": "l2"})
    rerun_until(app, lambda a: headline(a).startswith("This plane shows"), 120)
    assert "is projected away" in said(app)
    assert "The last iterate stands in for z*" in said(app)
    last = slots(app)["landscape-iterate"]["k"]
    assert app.button("landscape.forward").disabled
    app.button("landscape.back").click().run()
    assert slots(app)["landscape-iterate"]["k"] == last - 1
    widget(app, "segmented_control", "Plane").set_value("hessian").run()
    assert app.query_params["plane"] == "hessian"
    rerun_until(app, lambda a: "largest eigenvalue" in said(a))
    assert not app.exception


def test_a_run_in_colour_is_cut_and_shown(colour_pages) -> None:
    app = opened({"show": "image", "dataset": "cifar10", "index": "7", "kind": "l2"})
    rerun_until(app, lambda a: headline(a).startswith("This plane shows"), 120)
    rerun_until(app, lambda a: slots(a)["pointed-sheets"]["frames"] is not None)
    assert not app.exception
    assert "drawn by our generator" in said(app)
    for still in slots(app)["pointed"]["beside"]:
        shown = Image.open(io.BytesIO(base64.b64decode(still["source"].split(",")[1])))
        assert (shown.mode, shown.size) == ("RGB", (128, 128))


def test_another_data_set_keeps_the_number_and_the_attack() -> None:
    app = opened({"show": "image", "index": "3", "kind": "l2"})
    widget(app, "segmented_control", "Data set").set_value("fashion").run()
    assert not app.exception
    assert app.query_params.items() >= {"dataset": "fashion", "index": "3", "kind": "l2"}.items()
    assert widget(app, "pills", "Article of clothing").value == 3


def test_an_image_that_is_not_there_is_named() -> None:
    app = opened({"show": "image", "index": "4000"})
    assert "There is no example 4000" in app.warning[0].value
    assert "index" not in app.query_params or app.query_params["index"] == "0"


def test_without_a_run_on_the_main_page_the_page_says_so() -> None:
    app = opened({"show": "run"})
    assert headline(app) == "There is no run to cut through yet."
    assert "Start one on the main page" in said(app)
    assert not app.exception


def test_a_run_without_a_latent_space_is_named(monkeypatch) -> None:
    run = SimpleNamespace(settings=RunSettings("cifar10", preset="bsd-dp"))
    monkeypatch.setattr(source, "run_of", lambda _: run)
    app = opened({"show": "run"})
    assert "there is no latent space to slice" in said(app)
    assert not app.exception


def test_teaching_mode_hides_the_controls() -> None:
    app = opened({"teach": "1", "seed": "4"})
    assert not app.sidebar.number_input
    assert app.query_params["teach"] == "1"
    assert app.query_params["seed"] == "4"
    assert app.text_input("landscape.start") is not None
