"""The paper's methods: what they answer, and that they are the solver's own presets."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.presets import DCGAN, PRESETS
from red_core.algorithm.verdict import judge
from red_core.methods import ANSWERS, fit
from red_core.methods.bsd_gan import BETA, STRIDE
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.experiment import begin_run, readers_for
from tests.red_core.ties import lead

PRESET_KEYS = {"bsd-gan-paper": "paper", "bsd-gan-frozen": "paper-frozen", "bsd-gan-best": "best"}


@pytest.fixture
def images(toy_bundle: Bundle) -> Tensor:
    return toy_bundle.examples.images[:3]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, options in PRESETS.items():
        short = replace(options, start_steps=6, steps=9, halve_at=(), restarts=2, carry=1)
        monkeypatch.setitem(PRESETS, name, short)


@pytest.mark.parametrize("key", PRESET_KEYS)
def test_a_method_answers_what_the_command_run_answers(
    key: str, toy_bundle: Bundle, images: Tensor
) -> None:
    answers = fit(key, toy_bundle).classify(images, [4, 5, 6])
    options = PRESETS[PRESET_KEYS[key]]
    problem, state = begin_run(toy_bundle, images, options, [4, 5, 6])
    last = run_to_end(problem, state, options)
    verdict = judge(problem, last, readers_for(toy_bundle, PRESET_KEYS[key]))
    assert lead(verdict.signal_probabilities) > 1e-3  # far from a tie, which rounding decides
    assert float(verdict.block_margin.min()) > 1e-4
    assert answers.signal.equal(verdict.signal_label)
    assert answers.attack.equal(verdict.attack_label)
    torch.testing.assert_close(answers.reconstruction, last.image)
    torch.testing.assert_close(
        answers.reconstruction + answers.perturbation, images - last.residual.view_as(images)
    )


PAPERS = {"bsd-gan-dcgan": "paper", "bsd-gan-published": "paper-published"}


@pytest.mark.parametrize("key", PAPERS)
def test_the_papers_generator_takes_the_place_of_ours(
    key: str, toy_generators: Path, images: Tensor
) -> None:
    ours, papers = load_bundle("mnist"), load_bundle("mnist", "cpu", DCGAN)
    answers = fit(key, ours).classify(images, [4, 5, 6])
    options = PRESETS[PAPERS[key]]
    last = run_to_end(*begin_run(papers, images, options, [4, 5, 6]), options)
    torch.testing.assert_close(answers.reconstruction, last.image)
    other = run_to_end(*begin_run(ours, images, options, [4, 5, 6]), options)
    assert float((other.image - last.image).abs().max()) > 1e-3


def test_an_image_is_answered_by_itself(toy_bundle: Bundle, images: Tensor) -> None:
    method = fit("bsd-gan-paper", toy_bundle)
    together = method.classify(images, [4, 5, 6])
    alone = method.classify(images[1:2], [5])
    torch.testing.assert_close(
        alone.reconstruction, together.reconstruction[1:2], rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("key", ["bsd-gan-paper", "bsd-gan-best", "defense-gan"])
def test_watch_sees_the_images_on_the_way(key: str, toy_bundle: Bundle, images: Tensor) -> None:
    seen: list[tuple[int, Tensor]] = []
    fit(key, toy_bundle).classify(images, [4, 5, 6], lambda k, image: seen.append((k, image)))
    assert [k for k, _ in seen] == list(range(STRIDE, (seen[-1][0]) + 1, STRIDE))
    assert all(image.shape == images.shape for _, image in seen)
    assert not seen[0][1].equal(seen[-1][1]) or key == "defense-gan"


def test_defense_gan_is_what_the_frozen_preset_starts_from(
    toy_bundle: Bundle, images: Tensor
) -> None:
    alone = fit("defense-gan", toy_bundle).classify(images, [4, 5, 6])
    frozen = fit("bsd-gan-frozen", toy_bundle).classify(images, [4, 5, 6])
    torch.testing.assert_close(alone.reconstruction, frozen.reconstruction)
    assert alone.attack is None
    # The image is computed in two ways, so its class must be far from a tie.
    assert lead(toy_bundle.psi(alone.reconstruction).softmax(1)) > 1e-3
    assert frozen.readings["defense-gan"].signal.equal(alone.signal)


def test_the_smooth_variant_has_a_smooth_generator_and_leaves_the_bundle_alone(
    toy_bundle: Bundle, images: Tensor
) -> None:
    method = fit("bsd-gan-paper-smooth", toy_bundle)
    activation = method.bundle.generator.activation
    assert isinstance(activation, nn.Softplus)
    assert activation.beta == BETA
    assert not isinstance(toy_bundle.generator.activation, nn.Softplus)
    smooth = method.classify(images, [4, 5, 6]).reconstruction
    plain = fit("bsd-gan-paper", toy_bundle).classify(images, [4, 5, 6]).reconstruction
    assert not torch.allclose(smooth, plain)


def test_the_papers_rules_stand_beside_best(toy_bundle: Bundle, images: Tensor) -> None:
    rules = fit("bsd-gan-best", toy_bundle).classify(images, [4, 5, 6]).readings["rules"]
    problem, state = begin_run(toy_bundle, images, PRESETS["best"], [4, 5, 6])
    last = run_to_end(problem, state, PRESETS["best"])
    verdict = judge(problem, last, replace(toy_bundle.paper_readers(), rule_lambda=0.35))
    assert lead(verdict.psi_probabilities) > 1e-3  # far from a tie, which rounding decides
    assert float(verdict.block_margin.min()) > 1e-4
    assert rules.signal.equal(verdict.psi_label)
    assert rules.attack.equal(verdict.attack_label)
    assert rules.attack.max() < len(ANSWERS)


def test_an_unknown_method_is_refused_by_name(toy_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="unknown method 'magic': choose cnn"):
        fit("magic", toy_bundle)
