"""The page's logic, without a browser: the toy parts stand for the trained ones."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui.link import page_state
from pages.ui.live.live_run import LIVE_RUNS, LiveRun, RunRecords
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.runner import THREAD_NAME
from pages.ui.stage import EARLIER
from pages.ui.undo import solver_controls
from pages.ui.undo import undo_registry as session
from pages.ui.undo.undo_presets import named
from pages.ui.undo.undo_request import pack_image
from red_core.algorithm.presets import presets_of
from red_core.data.assets import AssetError
from red_core.data.datasets import CLASSES, DATASETS
from red_core.run.experiment import begin_run, craft_example, start_seeds
from tests.pages.conftest import QUICK, by_label
from tests.red_core.stepping import Run

APP = str(Path(__file__).resolve().parents[2] / "pages/main.py")
QUICK_URL = {f"solver.{name}": str(value).lower() for name, value in QUICK}


@pytest.fixture(autouse=True)
def toy(monkeypatch, parts: LoadedModels):
    session.load_models.clear()

    def load_bundle(dataset, *_):
        return replace(parts.bundle, dataset=dataset, class_names=CLASSES[dataset])

    monkeypatch.setattr(session, "load_bundle", load_bundle)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)  # the app computes in one; the tests after it need not
    session.load_models.clear()


@pytest.fixture(autouse=True)
def prepared(monkeypatch):
    """Every run that a page prepares, each once; all are ended afterwards."""
    found: list[LiveRun] = []
    prepare = session.RunRegistry.prepare

    def remember(self, *args):
        run = prepare(self, *args)
        if run not in found:
            found.append(run)
        return run

    monkeypatch.setattr(session.RunRegistry, "prepare", remember)
    yield found
    for run in found:
        LIVE_RUNS.remove(run)
        if run.runner is not None:
            run.runner._thread.join(30)
    assert not any(thread.name == THREAD_NAME for thread in threading.enumerate())


def open_app(query: dict[str, str] | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in {"attack_steps": "3", **QUICK_URL, **(query or {})}.items():
        app.query_params[name] = value
    return app.run()


def finish(run: LiveRun) -> None:
    until = time.monotonic() + 60
    while run.status()["busy"] or run.status()["state"] == "running":
        assert time.monotonic() < until, run.status()
        time.sleep(0.02)


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.caption, *app.markdown])


def test_a_target_that_is_the_own_class_is_left_out_and_said(prepared):
    app = open_app({"index": "7", "target": "7"})
    assert not app.exception
    assert [warning.value for warning in app.warning] == [page_state.OWN_TARGET]
    assert [run.settings.target for run in prepared] == [None]
    app.selectbox("ui.target.mnist").set_value(7).run()
    assert not app.exception
    assert app.error[0].value.startswith("The target class is the image's own class.")
    app.selectbox("ui.target.mnist").set_value(3).run()
    assert [run.settings.target for run in prepared] == [None, 3]


def test_a_budget_that_moves_no_pixel_is_left_out_and_said(prepared):
    app = open_app({"attack": "l1", "eps": "1e-30"})
    assert not app.exception
    assert "eps is left out: eps" in app.warning[0].value
    assert [run.settings.eps for run in prepared] == [None]


def test_the_links_own_words_are_shown_as_text(prepared):
    app = open_app({"attack": "[x](y) $z$ :red[w]", "solver.**a**": "<b>"})
    assert not app.exception
    shown = [warning.value for warning in app.warning]
    assert "`'[x](y) $z$ :red[w]':`" in shown[0]
    assert "`solver.**a**`" in shown[1]


def test_the_page_opens_prepared_and_nothing_is_wrong(prepared):
    app = open_app({"index": "4"})
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert [run.settings.index for run in prepared] == [4]
    assert prepared[0].status()["state"] == "idle"


def test_a_first_visit_shows_a_recorded_run_before_it_loads_the_models(prepared):
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert not app.exception
    assert app.session_state["undo.recorded"] is True
    assert len(prepared) == 1
    app.number_input("ui.seed").set_value(7).run()
    assert app.session_state["undo.recorded"] is False, "a choice was made: the story makes way"
    again = open_app({"index": "4"})
    assert again.session_state["undo.recorded"] is False, "a link asks for its own run"


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
    assert len(controls) > 15
    silent = [widget.label for widget in controls if not widget.help]
    assert silent == []


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


@pytest.mark.parametrize("preset", presets_of("mnist"))
def test_a_presets_own_numbers_are_not_part_of_the_link(preset):
    query = {"preset": preset, "solver.steps": "12"}
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params.update(query)
    app.run()
    assert not app.exception
    assert app.selectbox("ui.preset").value == preset
    kept = {name for name in app.query_params if name.startswith(("preset", "solver"))}
    assert kept - {"preset"} == {"solver.steps"}


def has_both(monkeypatch, datasets=("mnist", "fashion")) -> None:
    """The paper's own generator is there for these data sets and for no others."""
    for module in (page_state, solver_controls):
        monkeypatch.setattr(
            module, "has_generator", lambda dataset, name: name == "own" or dataset in datasets
        )


def test_the_papers_generator_is_offered_with_the_papers_presets(monkeypatch):
    has_both(monkeypatch)
    app = open_app({"preset": "paper", "generator": "dcgan"})
    assert not app.exception
    assert app.selectbox("ui.generator").value == "dcgan"
    assert app.query_params["generator"] == "dcgan"
    app.selectbox("ui.preset").set_value("best").run()
    assert not app.error
    assert "generator" not in app.query_params
    assert "ui.generator" not in {box.key for box in app.selectbox}
    app.selectbox("ui.preset").set_value("paper-frozen").run()
    assert app.selectbox("ui.generator").value == "own"
    app.selectbox("ui.generator").set_value("dcgan").run()
    assert app.query_params["generator"] == "dcgan"
    app.segmented_control("ui.dataset").set_value("cifar10").run()
    assert not app.exception
    assert "generator" not in app.query_params


def test_a_link_to_a_generator_that_was_not_made_says_so(monkeypatch):
    has_both(monkeypatch, ("mnist",))
    query = {"preset": "paper", "generator": "dcgan"}
    app = open_app({"dataset": "fashion", **query})
    assert "own generator of Fashion-MNIST has not been made" in app.warning[0].value
    assert "generator" not in app.query_params
    assert "ui.generator" not in {box.key for box in app.selectbox}
    app = open_app(query)
    app.segmented_control("ui.dataset").set_value("fashion").run()
    assert not app.exception
    assert "generator" not in app.query_params


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


def test_a_data_set_without_its_files_is_not_offered(monkeypatch):
    monkeypatch.setattr("pages.ui.undo.image_controls.is_made", lambda name: name == "mnist")
    assert open_app().segmented_control("ui.dataset").options == ["MNIST"]


def test_a_bad_asset_is_one_clear_message(monkeypatch):
    def damaged(*_):
        raise AssetError("generator.safetensors is damaged: rebuild it with `the command`")

    monkeypatch.setattr(session, "load_bundle", damaged)
    app = open_app()
    assert not app.exception
    assert len(app.error) == 1
    assert "generator.safetensors" in app.error[0].value
    assert "rebuild it" in app.error[0].value


def test_the_class_of_an_own_image_is_asked_for_and_kept_in_the_link():
    app = open_app({"source": "own", "image": pack_image(torch.rand(1, 28, 28)), "label": "3"})
    assert not app.exception
    picker = app.selectbox(key="ui.label.mnist")
    assert picker.value == 3
    picker.select(5).run()
    assert app.session_state["reverse.request"].settings.label == 5
    assert app.query_params["label"] == "5"
    picker.select("Not known").run()
    assert app.session_state["reverse.request"].settings.label is None
    assert "label" not in app.query_params


def test_a_link_repeats_the_run_to_the_same_iterates(parts, prepared):
    app = open_app({"index": "4", "attack": "l2", "seed": "3", "run": "1"})
    app.run()
    (run,) = prepared  # one, however often the page is drawn
    assert app.session_state["reverse.request"].run
    run.begin()
    finish(run)
    settings = run.settings
    assert (settings.index, settings.attack, settings.seed) == (4, "l2", 3)
    made = craft_example(parts.bundle, settings)
    options = settings.solver_options()
    begun = begin_run(parts.bundle, made.attacked, options, start_seeds(settings))
    expected = list(Run.of(*begun, options).path())
    for frame, iterate in zip(run.runner.view().frames, expected, strict=True):
        torch.testing.assert_close(frame.z, iterate.z, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(frame.c_a, iterate.c_a, rtol=1e-4, atol=1e-5)


def test_a_change_of_settings_ends_the_run_and_its_wish(prepared):
    app = open_app({"run": "1"})
    runner = prepared[0].begin()
    app.number_input("ui.seed").set_value(7).run()
    assert "run" not in app.query_params
    assert app.query_params["seed"] == "7"
    assert [run.settings.seed for run in prepared] == [0, 7]
    assert LIVE_RUNS.find(prepared[0].key) is None
    runner._thread.join(30)
    assert not runner._thread.is_alive()


def test_a_number_that_cannot_be_is_refused_and_the_one_before_holds(prepared):
    app = open_app()
    app.number_input("ui.eps.grey.linf").set_value(0.0).run()
    assert "ps must be a positive number" in app.error[0].value
    assert len(prepared) == 1
    app.number_input("ui.eps.grey.linf").set_value(0.1).run()
    assert not app.error
    assert app.query_params["eps"] == "0.1"


def test_another_data_set_keeps_everything_else(prepared):
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
    assert prepared[-1].settings.dataset == "fashion"
    app.segmented_control("ui.dataset").set_value("mnist").run()
    assert "dataset" not in app.query_params
    assert app.query_params["target"] == "3"


def test_clothes_are_called_by_their_names():
    app = open_app({"dataset": "fashion", "index": "9"})
    words = texts(app)
    assert "digit" not in words
    assert "article of clothing" in words
    assert "Draw an article" in app.selectbox("ui.source").options
    digits = texts(open_app())
    assert "the same digit" in digits
    assert "article" not in digits


def test_teaching_mode_hides_the_controls_and_keeps_the_run(prepared):
    app = open_app({"teach": "1", "seed": "4", "pace": "full"})
    assert not app.sidebar.number_input
    assert not app.sidebar.selectbox
    assert prepared[0].settings.seed == 4
    assert (app.query_params["teach"], app.query_params["pace"]) == ("1", "full")


def test_a_pace_that_there_is_not_is_named():
    app = open_app({"pace": "warp"})
    assert "pace" in app.warning[0].value
    assert "pace" not in app.query_params


def test_a_run_that_is_no_longer_kept_is_prepared_anew(prepared):
    app = open_app()
    LIVE_RUNS.remove(prepared[0])
    app.run()
    assert len(prepared) == 2
    assert LIVE_RUNS.find(prepared[1].key) is prepared[1]


def test_a_link_to_a_run_that_was_run_here_shows_its_record(prepared, monkeypatch):
    monkeypatch.setattr(LIVE_RUNS, "records", RunRecords(2**20))
    shown = []
    monkeypatch.setattr(
        "pages.ui.stage._mount", lambda **options: shown.append(options["data"]) or Nothing()
    )
    open_app({"run": "1"})
    assert shown[-1]["story"] is None, "nobody has run it yet"
    prepared[0].begin()
    finish(prepared[0])
    other = open_app({"run": "1"})
    assert other.session_state["undo.recorded"] is True
    assert "/run/record/" in shown[-1]["story"]
    assert shown[-1]["stories"][0]["title"] == EARLIER
    assert shown[-1]["run"] == prepared[-1].key, "its own run is ready beside it"
    other.run()
    assert "/run/record/" in shown[-1]["story"], "and stays, whatever else the page does"
    open_app({"run": "1", "seed": "5"})
    assert shown[-1]["story"] is None
    open_app()
    assert shown[-1]["story"] is None, "without run=1 nothing was asked for"


class Nothing:
    """What the stage's component answers where nobody asks for anything."""

    ask = None


def defaults_and_values(app: AppTest) -> dict[str, tuple[object, object]]:
    """What a browser shows that missed the run which set a value, and what the server holds."""
    sidebar, found = app.sidebar, {}
    for element in (*sidebar.number_input, *sidebar.toggle, *sidebar.text_input):
        found[element.label] = element.proto.default, element.value
    for element in (*sidebar.selectbox, *sidebar.radio):
        place = element.proto.default if element.proto.HasField("default") else None
        shown = None if place is None else element.options[place]
        held = None if element.value is None else element.options[element.index]
        found[element.label] = shown, held
    for element in sidebar.button_group:
        chosen = [element.proto.options[place].content for place in element.proto.default]
        found[element.proto.label] = chosen, [element.format_func(element.value)]
    return found


@pytest.mark.parametrize(
    "query",
    [
        {},
        {
            "index": "4",
            "attack": "l2",
            "eps": "1.5",
            "step_size": "0.2",
            "target": "3",
            "seed": "7",
        },
        {"preset": "paper", "solver.lambda_fraction": "0.2", "solver.signal_step": "adam"},
        {"dataset": "fashion", "source": "realizable", "attack": "l1", "device": "cpu"},
    ],
)
def test_a_browser_that_missed_a_run_shows_what_the_server_holds(query):
    """A value set through the session reaches it with that run alone: so it is the default too."""
    app = open_app(query)
    for _ in range(2):
        assert not app.warning
        pairs = defaults_and_values(app)
        assert len(pairs) > 15
        assert {label: shown for label, (shown, _) in pairs.items()} == {
            label: held for label, (_, held) in pairs.items()
        }
        if "Example number" in pairs:
            by_label(app.sidebar.number_input, "Example number").set_value(6)
        app.run()
