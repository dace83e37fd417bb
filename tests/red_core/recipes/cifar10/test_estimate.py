"""The estimate: operations counted as a hand would count them, and as a real run needs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from red_core.attacks.pgd import ATTACKS
from red_core.cli import main
from red_core.recipes.cifar10 import estimate as estimating
from red_core.recipes.cifar10.classifier import SIZES as CLASSIFIERS
from red_core.recipes.cifar10.classifier import ClassifierTrainer
from red_core.recipes.cifar10.counting import Counted, counted
from red_core.recipes.cifar10.diffusion import SIZES as DENOISERS
from red_core.recipes.cifar10.diffusion import DiffusionTrainer
from red_core.recipes.cifar10.estimate import H100, SHARE, estimate, lines
from red_core.recipes.cifar10.generator import SIZES as GENERATORS
from red_core.recipes.cifar10.generator import GeneratorTrainer
from red_core.recipes.cifar10.work import TRAIN_IMAGES, images_like, untrained_psi
from red_core.recipes.parts import parts_of


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "MEASURED_FOR", 0.0)


def test_a_convolution_counts_as_by_hand() -> None:
    net, images = nn.Conv2d(5, 7, 3, padding=1, bias=False), torch.rand(4, 5, 12, 10)
    forward = 2 * 4 * 7 * 12 * 10 * 5 * 3 * 3
    with torch.no_grad():
        assert counted(lambda: net(images)).operations == forward
    # Backwards once for the weights; once more for the images, where they need it.
    assert counted(lambda: net(images).sum().backward()).operations == 2 * forward
    images.requires_grad_(True)
    assert counted(lambda: net(images).sum().backward()).operations == 3 * forward


def test_what_backward_passes_keep_counts_once() -> None:
    x = torch.rand(6, 100, requires_grad=True)
    one = counted(lambda: (x * x).sum().backward())
    assert one.kept == 6 * 100 * 4
    with torch.no_grad():
        assert counted(lambda: x * x).kept == 0


def test_gradients_of_gradients_are_counted() -> None:
    net, images = nn.Conv2d(3, 4, 3, bias=False), torch.rand(2, 3, 8, 8, requires_grad=True)

    def penalty() -> None:
        (slope,) = torch.autograd.grad(net(images).square().sum(), images, create_graph=True)
        slope.square().sum().backward()

    assert counted(penalty).operations > 3 * counted(lambda: net(images)).operations


def test_the_line_through_two_batches() -> None:
    fixed, net = nn.Linear(6, 5, bias=False), nn.Conv2d(2, 3, 1)

    def step(batch: int) -> Counted:
        return counted(lambda: (fixed(torch.ones(1, 6)), net(torch.ones(batch, 2, 4, 4))))

    assert step(8).at(step(16), 50, (8, 16)).operations == step(50).operations


SECOND = ("guided", *ATTACKS)
STEPS = {"classifier": 8, "generator": 8, "diffusion": 8}


@pytest.mark.parametrize("part", STEPS)
def test_the_estimate_is_what_a_run_takes(part: str) -> None:
    """Every step of the tiny training is counted, and its own loop is what runs them."""
    makers = {
        "classifier": lambda: ClassifierTrainer(size, data, 0, "cpu"),
        "generator": lambda: GeneratorTrainer(size, data, untrained_psi("tiny", "cpu"), 0, "cpu"),
        "diffusion": lambda: DiffusionTrainer(size, data, 0, "cpu"),
    }
    sizes = {"classifier": CLASSIFIERS, "generator": GENERATORS, "diffusion": DENOISERS}
    size = sizes[part]["tiny"]
    data = images_like(size.images)
    trainer = makers[part]()
    run = sum(counted(lambda k=k: trainer.step(k)).operations for k in range(trainer.steps))
    (found,) = estimate("tiny", "cpu", [part])["parts"]
    # The denoiser's second training, and the attacks for it, are jobs of their own.
    jobs = [job for job in found["jobs"] if not job["what"].startswith(SECOND)]
    assert sum(job["steps"] for job in jobs) == trainer.steps == STEPS[part]
    counted_here = sum(job["steps"] * job["operations_per_step"] for job in jobs)
    assert counted_here == pytest.approx(run, rel=1e-9)


def test_steps_of_the_full_scale() -> None:
    (found,) = estimate("gpu", "cpu", ["classifier"])["parts"]
    size = CLASSIFIERS["gpu"]
    steps = sum(job["steps"] for job in found["jobs"])
    assert steps == int(size.epochs * (TRAIN_IMAGES // size.batch))
    small, full = (job["operations_per_step"] for job in found["jobs"])
    assert small / full == pytest.approx((24 / 32) ** 2, rel=0.01)


def test_every_part_has_an_estimate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "estimate.json"
    words = ["recipe", "cifar10", "--scale", "tiny", "--device", "cpu", "--estimate"]
    assert main([*words, "--json", str(out), "--work", str(tmp_path / "work")]) == 0
    said, found = capsys.readouterr().out, json.loads(out.read_text())
    assert [part["part"] for part in found["parts"]] == list(parts_of("cifar10"))
    assert all(part["operations"] > 0 and part["memory_bytes"] > 0 for part in found["parts"])
    assert found["operations"] == pytest.approx(sum(p["operations"] for p in found["parts"]))
    assert found["rate_measured"]
    assert found["seconds"][0] == found["seconds"][1] > 0
    assert "Rates are measured here and now" in said
    assert [path.name for path in tmp_path.iterdir()] == ["estimate.json"]  # nothing was made


def test_without_a_gpu_the_rate_is_an_assumption_and_says_so() -> None:
    found = estimate("gpu", "cpu", ["dictionary"])
    assert not found["rate_measured"]
    assert found["assumed_operations_per_second"] == [share * H100 for share in SHARE]
    low, high = found["seconds"]
    assert low == pytest.approx(found["operations"] / (SHARE[1] * H100))
    assert high == pytest.approx(found["operations"] / (SHARE[0] * H100))
    said = "\n".join(lines(found))
    assert "assumed, not measured: 10 to 40 percent of the 300 TFLOP/s" in said
    assert "TFLOP/s\n" not in said.split("Operations are")[0]
