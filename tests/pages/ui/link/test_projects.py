"""Projects in the app: opened by the command line alone, beside each other, under their names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui.compare import compare_registry
from pages.ui.compare.compare_request import CompareRequest
from pages.ui.link.projects import StartError, open_named
from pages.ui.live.runner import Runner
from pages.ui.look.literal import literal
from pages.ui.stage import files
from pages.ui.stage.files import report
from pages.ui.undo import undo_registry as session
from pages.ui.undo.undo_export import command
from pages.ui.undo.undo_presets import named
from pages.ui.undo.undo_request import from_query
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.data.datasets import CLASSES, DATASETS, TITLES
from red_core.methods import METHODS, methods_of
from red_core.run.settings import RunSettings
from tests.pages.conftest import QUICK, by_label, end_all, remembered, wait_until
from tests.toy_projects import write_toy, write_toy_pictures

ROOT = Path(__file__).resolve().parents[4]
APP = str(ROOT / "pages/main.py")
QUICK_URL = {f"solver.{name}": str(value).lower() for name, value in QUICK}


@pytest.fixture
def two(toy_assets: Path, tmp_path: Path):
    """Two open projects that answer differently, and what the app has loaded of them."""
    session.load_models.clear()
    compare_registry.fitted.clear()
    folders = [
        write_toy(toy_assets, tmp_path / f"p{says}", name, says)
        for name, says in (("Ann's net", 3), ("Bob", 8))
    ]
    threads = torch.get_num_threads()
    yield open_named([f"--project={folders[0]}", "--project", str(folders[1])])
    torch.set_num_threads(threads)
    session.load_models.clear()
    compare_registry.fitted.clear()


def open_app(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for name, value in {"attack_steps": "2", **QUICK_URL, **query}.items():
        app.query_params[name] = value
    return app.run()


def test_a_command_line_opens_projects_and_refuses_the_rest(two, tmp_path: Path) -> None:
    assert [own.key for own in two] == ["ann-s-net", "bob"]
    assert TITLES["ann-s-net"] == "Ann's net"
    assert open_named([]) == []
    assert open_named([f"--project={two[0].folder}"]) == [two[0]]  # the same key once more
    for words, said in (
        (["--projects", "x"], "unrecognized arguments: --projects x: the app takes --project DIR"),
        (["--project"], "expected one argument"),
        (["--project", str(tmp_path / "none")], "is no finished project"),
    ):
        with pytest.raises(StartError, match=said):
            open_named(words)


def test_the_app_ends_with_one_line_for_a_folder_that_is_no_project(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "--project", str(tmp_path)], cwd=ROOT, timeout=120,
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert done.stderr.splitlines()[-1].endswith("it has no project.json")


def test_two_projects_stand_beside_the_built_in_sets_with_their_origins(two) -> None:
    app = open_app(dataset="bob")
    assert not app.exception
    picker = by_label(app.sidebar.get("button_group"), "Data set")
    assert [option.content for option in picker.proto.options][-2:] == ["Ann's net", "Bob"]
    notes = [caption.value for caption in app.sidebar.caption]
    assert "Project Bob: a toy that says 8." in notes
    assert not any("Ann" in note for note in notes)
    taught = open_app(dataset="bob", teach="1")
    assert "Project Bob: a toy that says 8." in [caption.value for caption in taught.main.caption]


def test_the_runs_of_two_projects_do_not_mix(two) -> None:
    models = [session.load_models(own.key, "cpu") for own in two]
    again = session.load_models(two[0].key, "cpu")
    assert again.bundle is models[0].bundle
    seen = []
    for own, loaded, says in zip(two, models, (3, 8), strict=True):
        settings = RunSettings(own.key, attack_steps=2, solver=QUICK, device="cpu")
        runner = Runner(loaded, settings, None)
        view = wait_until(runner, lambda view: view.verdict is not None and not view.busy)
        runner.close()
        assert int(view.verdict.psi_label[0]) == says
        made = report(runner, view)
        assert made["project"] == own.label
        assert f"--project {own.folder}" in made["command"]
        assert made["settings"]["dataset"] == own.key
        seen.append(runner.parts.bundle.dictionary.atoms)
    assert not torch.equal(*seen)


def test_compare_offers_a_project_what_it_has_and_names_no_reader(two, monkeypatch) -> None:
    keys = methods_of("bob")
    assert keys == ("cnn", "defense-gan", "bsd-gan-paper", "bsd-gan-frozen", "bsd-gan-best")
    assert CompareRequest(RunSettings("bob")).methods == keys[:3] + keys[4:]
    assert METHODS["bsd-gan-best"].readings_on("bob") == {}
    from pages.ui.compare import section_methods

    drawn = {}
    monkeypatch.setattr(section_methods, "card", lambda shown, key: drawn.update({key: shown}))
    with remembered(compare_registry.CompareRegistry) as made:
        app = AppTest.from_file(str(ROOT / "pages/compare.py"), default_timeout=120)
        for name, value in {"dataset": "bob", "attack_steps": "2", "teach": "1"}.items():
            app.query_params[name] = value
        app.run()
        end_all(made)
    assert not app.exception
    best = drawn["compare-card-bsd-gan-best"]
    assert len(best["answers"]) == 2
    abouts = [card["about"] for card in drawn.values()]
    assert not any("reader" in about or "evidence" in about for about in abouts)


def test_what_belongs_to_built_in_sets_stays_theirs(two) -> None:
    assert tuple(CLASSES)[: len(DATASETS)] == DATASETS
    assert "m-inf" in methods_of("mnist")
    for own in two:
        assert len(named(own.key)) == len(named("mnist"))
    settings = RunSettings("bob", index=2)
    assert f"--project {two[1].folder}" in command(settings)
    assert from_query({"dataset": "bob", "index": "2"})[0].settings == settings
    unknown, warnings = from_query({"dataset": "carol"})
    assert unknown.settings.dataset == "mnist"
    assert "unknown data set 'carol'" in warnings[0]


def test_a_project_whose_files_are_changed_is_refused_in_words(two) -> None:
    with (two[1].assets / "classifier.py").open("a") as file:
        file.write("\n# changed")
    app = open_app(dataset="bob")
    assert not app.exception
    assert "The trained files cannot be used" in app.error[0].value
    assert not open_app(dataset=two[0].key).error


def test_pictures_of_somebodys_own_are_shown_on_every_page(tmp_path: Path) -> None:
    session.load_models.clear()
    compare_registry.fitted.clear()
    folder = write_toy_pictures(tmp_path / "own", "zoo", classes=24, channels=3, side=16)
    project = folder / "project.json"
    said = json.loads(project.read_text())
    said["classes"][0] = odd = "1. **a** <i>$x$</i> :red[b]"  # as a folder may be called
    project.write_text(json.dumps(said))
    (own,) = open_named(["--project", str(folder)])
    app = open_app(dataset="zoo", attack="l2", index="30")
    assert not app.exception
    assert "Project zoo: a toy of pictures." in [caption.value for caption in app.sidebar.caption]
    assert by_label(app.sidebar.number_input, "Budget ε").value == PAPER_ATTACKS["zoo"]["l2"].eps
    pills = [option.content for group in app.sidebar.get("button_group") for option in
             group.proto.options]  # fmt: skip
    assert literal(odd) in pills
    assert odd not in pills
    for page in ("compare", "landscape"):
        query = {"dataset": "zoo", "show": "image", "teach": "1", "attack_steps": "2"}
        with remembered(compare_registry.CompareRegistry) as made:
            other = AppTest.from_file(str(ROOT / f"pages/{page}.py"), default_timeout=120)
            for name, value in query.items():
                other.query_params[name] = value
            other.run()
            end_all(made)
        assert not other.exception, page
        shown = [str(one.value) for one in [*other.header, *other.markdown, *other.caption]]
        assert not any("**a**" in re.sub(r"`[^`]*`", "", text) for text in shown), page
    settings = RunSettings("zoo", attack_steps=2, solver=QUICK, device="cpu")
    runner = Runner(session.load_models("zoo", "cpu"), settings, None)
    view = wait_until(runner, lambda view: view.verdict is not None and not view.busy)
    runner.close()
    assert view.verdict.block_residuals.shape[1:] == (24, 3)
    for kind in (files.film, files.frames_png, files.arrays):
        assert kind(runner, view)
    assert own.shape == (3, 16, 16)
    session.load_models.clear()
    compare_registry.fitted.clear()
