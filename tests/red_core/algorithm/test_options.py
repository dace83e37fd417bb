"""Every bad number is refused, by name."""

import math
from dataclasses import fields

import pytest

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import DEFAULT_PRESET, PRESETS, presets_of

BAD = [
    ({"restarts": -1}, "restarts"),
    ({"restarts": 65}, "restarts"),
    ({"restarts": 0}, "at least one start"),
    ({"start_draws": -1}, "start_draws must lie between 0 and 10000"),
    ({"start_draws": 9}, "start_draws must be 0 or at least restarts, 10, not 9"),
    ({"start_steps": -1}, "start_steps"),
    ({"start_steps": 5001}, "start_steps"),
    ({"steps": 0}, "steps"),
    ({"steps": 5001}, "steps"),
    ({"carry": 0}, "carry"),
    ({"carry": 66}, "carry"),
    ({"halve_at": (40, 0)}, "halve_at"),
    ({"inner": 0}, "inner"),
    ({"inner": 51}, "inner"),
    ({"lambda_fraction": 0.0}, "lambda_fraction"),
    ({"lambda_fraction": 2.1}, "lambda_fraction"),
    ({"lambda_fraction": math.nan}, "lambda_fraction"),
    ({"latent_weight": -0.1}, "latent_weight"),
    ({"latent_weight": math.nan}, "latent_weight"),
    ({"start_rate": 0.0}, "start_rate"),
    ({"start_rate": 11.0}, "start_rate"),
    ({"start_step": "gradient", "start_momentum": 1.0}, r"start_momentum must lie in \[0, 1\)"),
    ({"start_step": "gradient", "start_momentum": math.nan}, "start_momentum must lie in"),
    ({"start_momentum": 0.7}, 'start_momentum needs start_step "gradient"'),
    ({"signal_rate": -0.1}, "signal_rate"),
    ({"signal_rate": math.nan}, "signal_rate"),
    ({"signal_rate": math.inf}, "signal_rate"),
    ({"signal_step": "newton"}, "signal steps are gradient, adam, lbfgs, frozen, diffusion"),
    ({"start_step": ""}, "signal steps are"),
    ({"signal_step": "diffusion"}, "both diffusion, or neither"),
    ({"feature_weight": -1.0}, "feature_weight"),
    ({"start_loss": "lpips"}, "start_loss is one of squared, perceptual"),
    ({"start_maps": 0}, "start_maps must lie between 1 and 3"),
    ({"start_maps": 4}, "start_maps must lie between 1 and 3"),
    ({"start_l1_weight": 0.5}, 'start_l1_weight needs start_loss "perceptual"'),
    ({"start_loss": "perceptual", "start_l1_weight": 11.0}, "start_l1_weight must lie in"),
    ({"start_loss": "perceptual", "start_l1_weight": math.nan}, "start_l1_weight must lie in"),
    ({"one_w": True, "encoder_start": True}, "one_w and encoder_start exclude each other"),
    ({"noise": 0.6}, "noise must lie in"),
    ({"noise_levels": 0}, "noise_levels"),
    ({"noise_draws": 51}, "noise_draws"),
    ({"acceleration": "fast"}, "acceleration is one of none, nesterov, restart"),
    ({"tolerance": -1e-9}, "tolerance"),
    ({"tolerance": 1.0}, "tolerance"),
    ({"tolerance": math.nan}, "tolerance"),
]


@pytest.mark.parametrize(("values", "message"), BAD)
def test_a_bad_number_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        SolverOptions(**values)


def test_an_encoders_guess_is_start_enough():
    assert SolverOptions(restarts=0, encoder_start=True).restarts == 0


def test_the_paper_preset_has_b2s_numbers():
    paper = PRESETS["paper"]
    assert (paper.restarts, paper.start_steps, paper.steps, paper.carry) == (10, 100, 500, 1)
    assert (paper.acceleration, paper.lambda_fraction) == ("nesterov", 0.35)
    assert paper.signal_step == "gradient"
    frozen = PRESETS["paper-frozen"]
    different = {f.name for f in fields(paper) if getattr(paper, f.name) != getattr(frozen, f.name)}
    assert different == {"signal_step"}
    assert DEFAULT_PRESET == "best"


def test_the_published_start_differs_from_frozen_in_the_published_numbers_alone():
    published, frozen = PRESETS["paper-published"], PRESETS["paper-frozen"]
    different = {
        f.name: getattr(published, f.name)
        for f in fields(published)
        if getattr(published, f.name) != getattr(frozen, f.name)
    }
    assert different.pop("start_rate") == pytest.approx(10 * 2 / 784, rel=1e-3)
    assert different == {
        "start_draws": 100,
        "start_step": "gradient",
        "start_momentum": 0.7,
        "lambda_every_step": True,
    }
    assert (published.restarts, published.start_steps) == (10, 100)
    assert "paper-published" not in presets_of("cifar10")


def test_the_papers_preset_on_cifar10_starts_and_moves_as_published():
    presets = presets_of("cifar10")
    paper = presets["paper"]
    assert (paper.restarts, paper.class_start, paper.one_w) == (0, True, True)
    assert (paper.steps, paper.signal_step, paper.signal_rate) == (500, "adam", 0.001)
    assert (paper.acceleration, paper.lambda_fraction) == ("nesterov", 0.35)
    assert presets["paper-frozen"].signal_step == "frozen"
    assert next(iter(presets)) == DEFAULT_PRESET
    assert presets["best"].mean_start
    assert presets["best"].latent_weight > 0


def test_b8_purifies_x_itself_and_ours_what_c_a_leaves():
    presets = presets_of("cifar10")
    assert not presets["bsd-dp-paper"].remainder
    assert presets["bsd-dp"].remainder
    assert {presets[name].start_steps for name in ("bsd-dp", "bsd-dp-paper")} == {1}
