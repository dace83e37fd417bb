"""One run as plain values."""

import json
from dataclasses import replace

import pytest
import torch

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.verdict import block_residuals, judge
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run, craft_example, readers_for, start_seeds
from red_core.run.report import run_arrays, run_report
from red_core.run.settings import RunSettings

QUICK = (("restarts", 2), ("start_steps", 2), ("steps", 6))
SETTINGS = RunSettings(index=3, attack="l2", attack_steps=2, preset="paper", solver=QUICK)


def finished(bundle: Bundle, settings: RunSettings):
    example = craft_example(bundle, settings, torch.rand(1, 28, 28))
    options = settings.solver_options()
    problem, state = begin_run(bundle, example.attacked, options, start_seeds(settings))
    iterate = run_to_end(problem, state, options)
    verdict = judge(problem, iterate, readers_for(bundle, settings.preset))
    return problem, example, verdict, iterate


def test_it_holds_what_the_verdict_holds(toy_bundle: Bundle) -> None:
    problem, example, verdict, iterate = finished(toy_bundle, SETTINGS)
    report = run_report(toy_bundle, SETTINGS, example, verdict, iterate, 1.25, "a toy")
    assert json.loads(json.dumps(report, allow_nan=False)) == report | {
        "resolved": {
            **report["resolved"],
            "solver": {**report["resolved"]["solver"], "halve_at": []},
        }
    }
    assert report["true_label"] == 3
    assert report["adversarial_label"] == int(toy_bundle.psi(example.attacked).argmax())
    assert report["signal_label"] == int(toy_bundle.psi(iterate.image).argmax())
    assert report["attack_label"] in ("linf", "l2", "l1", "none", "unknown")
    expected = block_residuals(problem, iterate)[0]
    torch.testing.assert_close(torch.tensor(report["residuals"]), expected, rtol=1e-5, atol=0)
    assert expected.shape == (10, 3)
    assert report["seconds"] == 1.25
    assert report["source"] == "a toy"
    assert RunSettings.from_dict(report["settings"]) == SETTINGS
    assert report["resolved"]["attack"]["steps"] == 2
    assert report["resolved"]["solver"]["steps"] == 6
    assert report["steps"] == 8


def test_an_image_of_ones_own_has_no_true_label(toy_bundle: Bundle) -> None:
    own = replace(SETTINGS, source="own", index=0)
    _, example, verdict, iterate = finished(toy_bundle, own)
    report = run_report(toy_bundle, own, example, verdict, iterate, 1, "x", image="a b.png")
    assert report["true_label"] is None
    assert "--image 'a b.png'" in report["command"]


def test_no_active_block_is_no_attack(toy_bundle: Bundle) -> None:
    silent = replace(SETTINGS, solver=(*QUICK, ("lambda_fraction", 2.0)))
    _, example, verdict, iterate = finished(toy_bundle, silent)
    assert float(iterate.block_energy.max()) == 0
    report = run_report(toy_bundle, silent, example, verdict, iterate, 1, "x")
    assert report["block_attack_label"] == "none"
    assert report["attack_label"] == "none"


def test_what_is_not_finite_becomes_null(toy_bundle: Bundle) -> None:
    _, example, verdict, iterate = finished(toy_bundle, SETTINGS)
    iterate = replace(iterate, gap=torch.tensor([float("nan")]))
    report = run_report(toy_bundle, SETTINGS, example, verdict, iterate, 1, "x")
    assert report["gap"] is None
    json.dumps(report, allow_nan=False)


def test_the_arrays_add_up(toy_bundle: Bundle) -> None:
    _, example, _, iterate = finished(toy_bundle, SETTINGS)
    arrays = run_arrays(example, iterate)
    parts = arrays["signal"] + arrays["perturbation"] + arrays["residual"]
    assert parts == pytest.approx(arrays["attacked"], abs=1e-5)
    explained = toy_bundle.dictionary.combine(torch.from_numpy(arrays["c_a"])).view(28, 28)
    assert arrays["perturbation"] == pytest.approx(explained.numpy(), abs=1e-4)
    assert arrays["image"] == pytest.approx(toy_bundle.examples.images[3, 0].numpy())
    assert arrays["z"].shape == (100,)
    assert arrays["block_energy"].shape == (10, 3)


def test_the_arrays_of_a_run_in_colour_keep_its_shapes(toy_bundle: Bundle) -> None:
    _, example, _, iterate = finished(toy_bundle, SETTINGS)
    image = torch.rand(1, 3, 32, 32)
    made = replace(example, clean=image, attacked=image)
    moved = replace(iterate, image=image, residual=0 * image, z=torch.rand(1, 9, 4))
    arrays = run_arrays(made, moved)
    assert arrays["z"].shape == (9, 4)
    for name in ("image", "attacked", "signal", "perturbation", "residual"):
        assert arrays[name].shape == (3, 32, 32)
