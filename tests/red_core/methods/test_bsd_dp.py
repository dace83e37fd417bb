"""B.8's methods: DiffPure is the first round, BSD-DP the whole run under the paper's rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.presets import CIFAR10_PRESETS
from red_core.data.assets import AssetError
from red_core.methods import ANSWERS, fit
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


def test_diffpure_reads_the_purified_image(toy_cifar10: Bundle) -> None:
    x = toy_cifar10.examples.images[:3]
    answers = fit("dp", toy_cifar10).classify(x, [1, 2, 3])
    assert toy_cifar10.denoiser is not None
    purified = Purifier(toy_cifar10.denoiser, CIFAR10_PRESETS["bsd-dp"].noise, 1)(x, [1, 2, 3])
    torch.testing.assert_close(answers.reconstruction, purified)
    assert answers.signal is not None
    logits = toy_cifar10.psi(purified)
    assert lead(logits) > 0.1  # the purified image is computed in two ways
    assert answers.signal.equal(logits.argmax(1))
    assert answers.attack is None


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
    for key in ("dp", *KEYS):
        with pytest.raises(AssetError, match="mnist has no diffusion model"):
            fit(key, toy_bundle)
