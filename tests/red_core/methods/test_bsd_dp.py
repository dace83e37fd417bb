"""B.8's methods: DiffPure is the first round, BSD-DP the whole run under the paper's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from red_core.algorithm.algorithm1 import step
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import observe
from red_core.algorithm.presets import CIFAR10_PRESETS
from red_core.algorithm.verdict import Readers
from red_core.data.assets import AssetError
from red_core.measure.tables import entries, title_of
from red_core.methods import ANSWERS, fit
from red_core.methods.bsd_dp import VOTES, _vote
from red_core.models.purifier import Purifier
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run
from tests.red_core.ties import lead

KEYS = ("bsd-dp", "bsd-dp-paper")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        short = replace(CIFAR10_PRESETS[name], steps=3, inner=2)
        monkeypatch.setitem(CIFAR10_PRESETS, name, short)


VARIANTS = ("dp", "dp-fixed", "dp-one", "dp-vote")


class Bright(nn.Module):
    """Class 3 where the image is brighter than half, else class 5: nothing psi would say."""

    def forward(self, images: Tensor) -> Tensor:
        brightness = images.flatten(1).mean(1) - 0.5
        logits = torch.zeros(len(images), 10)
        logits[:, 3], logits[:, 5] = 40 * brightness, -40 * brightness
        return logits


@pytest.fixture
def drawn(toy_cifar10: Bundle, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A preset of three draws, and a second classifier that is not psi."""
    options = replace(CIFAR10_PRESETS["bsd-dp-paper"], noise=0.3, noise_draws=3)
    monkeypatch.setitem(CIFAR10_PRESETS, "bsd-dp-paper", options)
    readers = replace(toy_cifar10.readers, reader=Bright(), reader_temperature=2.0)
    return replace(toy_cifar10, readers=readers)


def draws(bundle: Bundle, x: Tensor, seeds: Sequence[int], count: int) -> Tensor:
    assert bundle.denoiser is not None
    return Purifier(bundle.denoiser, 0.3, 1, draws=count).each(x, seeds)


def test_psi_and_the_second_classifier_read_the_mean_of_the_draws(drawn: Bundle) -> None:
    x = drawn.examples.images[:3]
    answers = fit("dp", drawn).classify(x, [1, 2, 3])
    purified = draws(drawn, x, [1, 2, 3], 3).mean(1)
    torch.testing.assert_close(answers.reconstruction, purified)
    assert answers.signal is not None
    logits = drawn.psi(purified)
    assert lead(logits) > 0.1  # the purified image is computed in two ways
    assert answers.signal.equal(logits.argmax(1))
    assert answers.attack is None
    second = answers.readings["reader"].signal
    assert second is not None
    assert second.equal(Bright()(purified).argmax(1))
    assert set(second.tolist()) <= {3, 5}


def test_diffpure_is_the_first_round_of_bsd_dp(drawn: Bundle) -> None:
    x, options = drawn.examples.images[:2], CIFAR10_PRESETS["bsd-dp-paper"]
    problem, state = begin_run(drawn, x, options, [4, 5])
    first = observe(problem, step(problem, state, options), options).image
    torch.testing.assert_close(fit("dp", drawn).classify(x, [4, 5]).reconstruction, first)


def test_fixed_noise_is_the_same_for_every_image_and_call(drawn: Bundle) -> None:
    x = drawn.examples.images[:1].expand(3, -1, -1, -1)
    method = fit("dp-fixed", drawn)
    found = method.classify(x, [1, 2, 3]).reconstruction
    assert found is not None
    torch.testing.assert_close(found[1:], found[:1].expand(2, -1, -1, -1))
    torch.testing.assert_close(method.classify(x, [7, 8, 9]).reconstruction, found)
    fresh = fit("dp", drawn).classify(x, [1, 2, 3]).reconstruction
    assert fresh is not None
    assert float((fresh[0] - fresh[1]).abs().max()) > 1e-3


def test_one_draw_is_one_whatever_the_preset(drawn: Bundle) -> None:
    x = drawn.examples.images[:2]
    answers = fit("dp-one", drawn).classify(x, [1, 2])
    torch.testing.assert_close(answers.reconstruction, draws(drawn, x, [1, 2], 1)[:, 0])


def test_a_vote_averages_probabilities_not_images(drawn: Bundle) -> None:
    """Of eight images one much brighter than the mean may not outvote the others."""
    x = drawn.examples.images[:3]
    answers = fit("dp-vote", drawn).classify(x, [1, 2, 3])
    each = draws(drawn, x, [1, 2, 3], VOTES)
    torch.testing.assert_close(answers.reconstruction, each.mean(1))
    for network, signal, temperature in (
        (drawn.psi, answers.signal, 1.0),
        (Bright(), answers.readings["reader"].signal, 2.0),
    ):
        votes = [(network(one) / temperature).softmax(1) for one in each.unbind(1)]
        mean = torch.stack(votes).mean(0)
        assert lead(mean) > 1e-4
        assert signal is not None
        assert signal.equal(mean.argmax(1))


def test_a_vote_is_not_the_reading_of_the_mean() -> None:
    images = torch.full((1, 3, 3, 2, 2), 0.44)
    images[0, 2] = 0.63  # the mean is 0.503; two of three are dark
    assert _vote(Bright(), images).tolist() == [5]
    assert _vote(Bright(), images.mean(1, keepdim=True)).tolist() == [3]


@pytest.mark.parametrize("key", VARIANTS)
def test_without_a_second_classifier_psi_alone_reads(key: str, toy_cifar10: Bundle) -> None:
    alone = replace(toy_cifar10, readers=Readers(toy_cifar10.psi))
    assert fit(key, alone).classify(alone.examples.images[:1], [1]).readings == {}


def test_a_row_says_who_reads() -> None:
    for key in (*VARIANTS, *KEYS):
        for entry in entries(key):
            assert title_of(entry).endswith(("read by ψ", "read by our second classifier"))


@pytest.mark.parametrize("key", KEYS)
def test_bsd_dp_takes_x_apart_and_names_the_attack(key: str, toy_cifar10: Bundle) -> None:
    x, seen = toy_cifar10.examples.images[:2], []
    method = fit(key, toy_cifar10)
    answers = method.classify(x, [1, 2], watch=lambda step, images: seen.append(step))
    problem, state = begin_run(toy_cifar10, x, CIFAR10_PRESETS[key], [1, 2])
    last = run_to_end(problem, state, CIFAR10_PRESETS[key])
    assert answers.reconstruction is not None
    assert answers.perturbation is not None
    torch.testing.assert_close(answers.reconstruction, last.image)
    torch.testing.assert_close(
        answers.perturbation.flatten(1), problem.dictionary.combine(last.c_a), atol=1e-5,
        rtol=0,
    )  # fmt: skip
    assert answers.attack is not None
    assert {ANSWERS[i] for i in answers.attack.tolist()} <= {"linf", "l2", "l1", "none"}


def test_a_data_set_without_a_denoiser_is_refused(toy_bundle: Bundle) -> None:
    for key in (*VARIANTS, *KEYS):
        with pytest.raises(AssetError, match="mnist has no diffusion model"):
            fit(key, toy_bundle)
