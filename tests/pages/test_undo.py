"""The page's logic, without a browser: the toy parts stand for the trained ones."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.runner import THREAD_NAME, Runner
from pages.ui.undo import section_attack, section_undoing, section_verdict
from pages.ui.undo import undo_export as export
from pages.ui.undo import undo_registry as session
from pages.ui.undo.undo_presets import named
from pages.ui.undo.undo_request import pack_image
from pages.ui.widgets.picture_row import RowPicture
from red_core.data.assets import AssetError
from red_core.data.datasets import CLASSES, DATASETS
from red_core.run.experiment import begin_run, craft_example, start_seeds
from tests.pages.conftest import QUICK, by_label
from tests.red_core.stepping import Run

APP = str(Path(__file__).resolve().parents[2] / "app.py")
QUICK_URL = {f"solver.{name}": str(value).lower() for name, value in QUICK}


@pytest.fixture(autouse=True)
def toy(monkeypatch, parts: LoadedModels):
    session.load_models.clear()

    def load_bundle(dataset, _device):
        return replace(parts.bundle, dataset=dataset, class_names=CLASSES[dataset])

    monkeypatch.setattr(session, "load_bundle", load_bundle)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)  # the app computes in one; the tests after it need not
    session.load_models.clear()


@pytest.fixture(autouse=True)
def runners(monkeypatch):
    """Every run that a page starts; all are ended afterwards."""
    started: list[Runner] = []
    registries: list[session.RunRegistry] = []
    start = session.RunRegistry.start

    def remember(self, *args, **kwargs):
        registries.append(self)
        started.append(start(self, *args, **kwargs))
        return started[-1]

    monkeypatch.setattr(session.RunRegistry, "start", remember)
    yield started
    for registry in registries:  # AppTest's sessions are all one to Streamlit's cache
        registry.clear()
    for runner in started:
        runner._thread.join(30)
    assert not any(thread.name == THREAD_NAME for thread in threading.enumerate())


def open_app(query: dict[str, str] | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in {"attack_steps": "3", **QUICK_URL, **(query or {})}.items():
        app.query_params[name] = value
    return app.run()


def headlines(app: AppTest) -> list[str]:
    return [header.value for header in app.header]


def finish(app: AppTest, runner: Runner) -> AppTest:
    until = time.monotonic() + 60
    while runner.view().busy:
        assert time.monotonic() < until, headlines(app)
        time.sleep(0.02)
    return app.run()


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.caption, *app.markdown])


def test_the_page_opens_with_three_acts_and_nothing_wrong():
    app = open_app()
    assert not app.exception
    assert not app.error
    assert not app.warning
    first, second, third = headlines(app)
    assert "read as" in first
    assert second.startswith("Not run yet")
    assert "when the run ends" in third


def test_every_control_has_help_that_teaches():
    app = open_app()
    controls = [
        *app.selectbox,
        *app.number_input,
        *app.segmented_control,
        *app.pills,
        *app.button,
        *app.slider,
        *app.toggle,
        *app.text_input,
    ]
    assert len(controls) > 25
    silent = [widget.label for widget in controls if not widget.help]
    assert silent == []


def test_run_ends_in_a_verdict_and_the_link_asks_for_it(runners):
    app = open_app()
    app.button("run-button").click().run()
    assert app.query_params["run"] == "1"
    finish(app, runners[0])
    _, second, third = headlines(app)
    assert second.startswith("Finished: step 17 of 17")
    assert "when the run ends" not in third
    assert "Smallest μ on the path" in texts(app)
    assert not app.exception


def test_a_run_in_colour_ends_in_a_verdict(runners, colour_pages, monkeypatch):
    drawn: dict[str, list[RowPicture]] = {}
    for section in (section_attack, section_undoing, section_verdict):
        mount = section.picture_row
        monkeypatch.setattr(
            section,
            "picture_row",
            lambda items, *, key, mount=mount, **more: (
                drawn.update({key: list(items)}),
                mount(items, key=key, **more),
            ),
        )
    app = open_app({"dataset": "cifar10"})
    empty = Image.open(io.BytesIO(drawn["frames"][0].png))
    assert "are stated once a run has ended" in mu_help(app)
    assert colour_pages.rank is None, "nothing slow is computed while a page opens"
    app.button("run-button").click().run()
    finish(app, runners[0])
    assert not app.exception
    assert headlines(app)[1].startswith("Finished: step 17 of 17")
    assert "rank(D_a) = 120 of 120 columns, d = 144, n = 3072" in mu_help(app)
    full = Image.open(io.BytesIO(drawn["frames"][0].png))
    assert (full.mode, full.size) == ("RGBA", empty.size)
    for key in ("equation-1", "equation-3"):
        for still in drawn[key]:
            shown = Image.open(io.BytesIO(still.png))
            assert (shown.mode, shown.size) == ("RGB", (256, 256))
    assert drawn["equation-1"][1].name.endswith(" around grey")
    assert drawn["equation-3"][3].caption.endswith(" around grey")
    assert "on mid-grey, which is zero" in texts(app)


def mu_help(app: AppTest) -> str:
    return next(one.help for one in app.caption if one.help and "Assumption 5" in one.help)


def test_the_files_of_a_run_in_colour(runners, colour_pages):
    finish(open_app({"dataset": "cifar10", "run": "1"}), runners[0])
    runner, view = runners[0], runners[0].view()
    context = session.RunContext(runner.settings, runner.parts, runner.example, ())
    with np.load(io.BytesIO(export.run_npz(context, view))) as arrays:
        count = len(view.frames)
        assert arrays["path_image"].shape == (count, 3, 32, 32)
        assert arrays["path_z"].shape == (count, 9, 16)
        for name in ("image", "attacked", "signal", "perturbation", "residual"):
            assert arrays[name].shape == (3, 32, 32)
    with np.load(io.BytesIO(export.own_npz(context))) as arrays:
        assert arrays["image"].shape == (3, 32, 32)
    assert Image.open(io.BytesIO(export.grid_png(context, runner, view))).mode == "RGBA"
    assert Image.open(io.BytesIO(export.run_gif(context, runner, view))).n_frames == count


def test_a_link_repeats_the_run_to_the_same_iterates(parts, runners):
    query = {"index": "4", "attack": "l2", "seed": "3", "run": "1"}
    app = open_app(query)
    assert len(runners) == 1
    finish(app, runners[0])
    assert len(runners) == 1, "one run, however often the page is drawn"
    settings = runners[0].settings
    assert (settings.index, settings.attack, settings.seed) == (4, "l2", 3)
    made = craft_example(parts.bundle, settings)
    options = settings.solver_options()
    begun = begin_run(parts.bundle, made.attacked, options, start_seeds(settings))
    expected = list(Run.of(*begun, options).path())
    for frame, iterate in zip(runners[0].view().frames, expected, strict=True):
        torch.testing.assert_close(frame.z, iterate.z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(frame.c_a, iterate.c_a, rtol=1e-4, atol=1e-5)


def test_steps_work_from_the_very_beginning(runners):
    app = open_app()
    app.button("step-both").click().run()
    app.button("step-z").click().run()
    assert headlines(app)[1].startswith("Paused: step \u20072 of 17")
    assert app.button("step-c_a").disabled, "c_a is zero before the alternation begins"
    app.button("back").click().run()
    assert by_label(app.slider, "Iterate k").value == 1
    app.button("forward").click().run()
    assert by_label(app.slider, "Iterate k").value == 2
    app.button("stop").click().run()
    finish(app, runners[0])
    assert headlines(app)[1].startswith("Stopped: step \u20072 of 17")
    assert headlines(app)[2].startswith("Stopped early.")


def test_scrubbing_looks_at_any_recorded_iterate(runners):
    app = open_app({"run": "1"})
    finish(app, runners[0])
    by_label(app.slider, "Iterate k").set_value(5).run()
    assert by_label(app.slider, "Iterate k").value == 5
    assert headlines(app)[1].startswith("Finished: step 17"), "the run itself has not moved"
    assert not app.exception


def test_a_change_of_settings_ends_the_run_and_its_wish(runners):
    app = open_app({"run": "1"})
    assert "run" in app.query_params
    app.number_input("ui.seed").set_value(7).run()
    assert "run" not in app.query_params
    assert app.query_params["seed"] == "7"
    assert headlines(app)[1].startswith("Not run yet")
    runners[0]._thread.join(30)
    assert not runners[0]._thread.is_alive()


def test_a_bad_link_is_named_and_the_rest_of_it_stands():
    app = open_app({"eps": "-3", "index": "4000", "seed": "5", "attack": "l1"})
    said = [warning.value for warning in app.warning]
    assert len(said) == 2
    assert "eps" in said[0]
    assert "4000" in said[1]
    assert app.number_input("ui.seed").value == 5
    assert app.number_input("ui.index").value == 0
    assert app.query_params["attack"] == "l1"
    assert "eps" not in app.query_params
    app.number_input("ui.seed").set_value(6).run()
    assert not app.warning, "a warning about the link goes with the link"


def test_a_device_this_machine_lacks_is_named():
    if torch.backends.mps.is_available():
        pytest.skip("this machine has it")
    app = open_app({"device": "mps"})
    assert "mps" in app.warning[0].value
    assert app.selectbox("ui.device").value == "auto"


def test_a_number_that_cannot_be_is_refused_and_the_one_before_holds():
    app = open_app()
    before = headlines(app)[0]
    app.number_input("ui.eps.grey.linf").set_value(0.0).run()
    assert "ps must be a positive number" in app.error[0].value
    assert headlines(app)[0] == before
    app.number_input("ui.eps.grey.linf").set_value(0.1).run()
    assert not app.error
    assert app.query_params["eps"] == "0.1"


def test_the_papers_numbers_are_not_part_of_the_link():
    app = open_app()
    app.segmented_control("ui.attack").set_value("l1").run()
    assert app.query_params["attack"] == "l1"
    assert not {"eps", "step_size", "attack_steps"} & set(app.query_params)
    assert app.number_input("ui.eps.grey.l1").value == 10


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_named_setting_opens(dataset):
    for place, one in enumerate(named(dataset)):
        app = open_app({"dataset": dataset})
        app.selectbox("pick").set_value(place).run()
        assert not app.exception, one.name
        assert not app.error, one.name
        assert app.selectbox("ui.preset").value == one.settings.preset
        assert app.segmented_control("ui.dataset").value == one.settings.dataset == dataset


def test_another_data_set_keeps_everything_else():
    query = {"index": "17", "attack": "l2", "eps": "1.25", "target": "3", "seed": "5", "run": "1"}
    app = open_app(query)
    app.segmented_control("ui.dataset").set_value("fashion").run()
    assert not app.exception
    assert app.query_params["dataset"] == "fashion"
    assert app.query_params["solver.steps"] == "12"
    assert {name: app.query_params[name] for name in query if name != "run"} == {
        name: value for name, value in query.items() if name != "run"
    }
    assert "run" not in app.query_params, "what ran was of the other data set"
    assert app.selectbox("ui.target.fashion").value == 3
    assert app.pills("ui.class.fashion").value == 7
    assert headlines(app)[0].startswith("A sneaker")
    app.segmented_control("ui.dataset").set_value("mnist").run()
    assert "dataset" not in app.query_params
    assert app.query_params["target"] == "3"
    assert headlines(app)[0].startswith("A 7")


def test_clothes_are_called_by_their_names(runners):
    app = open_app({"dataset": "fashion", "index": "9", "run": "1"})
    finish(app, runners[0])
    assert runners[0].settings.dataset == "fashion"
    first, _, third = headlines(app)
    assert first.startswith("An ankle boot")
    assert "ankle boot" in third
    words = texts(app)
    assert "digit" not in words
    assert "article of clothing" in words
    assert "Draw an article" in app.selectbox("ui.source").options
    digits = texts(open_app())
    assert "the same digit" in digits
    assert "article" not in digits


def test_a_data_set_without_its_files_is_not_offered(monkeypatch):
    monkeypatch.setattr("pages.ui.undo.image_controls.is_made", lambda name: name == "mnist")
    assert open_app().segmented_control("ui.dataset").options == ["MNIST"]


def test_teaching_mode_hides_the_controls_and_keeps_the_run(runners):
    app = open_app({"teach": "1", "seed": "4"})
    assert not app.sidebar.number_input
    assert not app.sidebar.selectbox
    app.button("run-button").click().run()
    finish(app, runners[0])
    assert headlines(app)[1].startswith("Finished")
    assert app.query_params["teach"] == "1"
    assert app.query_params["seed"] == "4"


def test_a_bad_asset_is_one_clear_message(monkeypatch):
    def damaged(_dataset, _device):
        raise AssetError("generator.safetensors is damaged: rebuild it with `the command`")

    monkeypatch.setattr(session, "load_bundle", damaged)
    app = open_app()
    assert not app.exception
    assert len(app.error) == 1
    assert "generator.safetensors" in app.error[0].value
    assert "rebuild it" in app.error[0].value


def test_mu_is_shown_exact_for_an_image_the_generator_made(runners):
    app = open_app({"source": "realizable", "attack": "l2", "run": "1"})
    finish(app, runners[0])
    assert "to the known z*, c_a*" in texts(app)


def test_the_class_of_an_own_image_is_asked_for_and_kept_in_the_link(runners):
    app = open_app({"source": "own", "image": pack_image(torch.rand(1, 28, 28)), "label": "3"})
    assert not app.exception
    picker = app.selectbox(key="ui.label.mnist")
    assert picker.value == 3
    picker.select(5).run()
    assert app.session_state["held"].settings.label == 5
    assert app.query_params["label"] == "5"
    picker.set_value(None).run()
    assert app.session_state["held"].settings.label is None
    assert "label" not in app.query_params
