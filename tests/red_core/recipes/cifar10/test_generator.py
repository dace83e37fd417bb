"""The training of the style generator: it learns to redraw, resumes, and keeps an average."""

import copy
from dataclasses import replace

import pytest
import torch

from red_core.data.datasets import ImageSet
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.generator import SIZES, GeneratorTrainer

SIZE = replace(SIZES["tiny"], epochs=10, rate=4e-3)


@pytest.fixture
def data() -> ImageSet:
    """Plain colours: 128 images that a small generator can learn."""
    torch.manual_seed(3)
    images = torch.rand(128, 3, 1, 1).expand(-1, -1, 32, 32).contiguous()
    return ImageSet(images, torch.arange(128) % 10, "colours")


@pytest.fixture
def psi() -> WideResNet:
    torch.manual_seed(4)
    return WideResNet(10, 1).eval().requires_grad_(False)


def run(trainer: GeneratorTrainer, first: int, last: int) -> list[dict[str, float]]:
    figures = []
    for number in range(first, last):
        torch.manual_seed(number)
        figures.append(dict(trainer.step(number)))
    return figures


def test_it_learns_to_redraw(data: ImageSet, psi: WideResNet) -> None:
    trainer = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    figures = run(trainer, 0, trainer.steps)
    assert trainer.steps == 40
    early = sum(f["pixels"] for f in figures[:4])
    late = sum(f["pixels"] for f in figures[-4:])
    assert late < 0.5 * early


def test_every_network_is_trained(data: ImageSet, psi: WideResNet) -> None:
    trainer = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    before = copy.deepcopy(trainer.nets.state_dict())
    watched = copy.deepcopy(psi.state_dict())
    run(trainer, 0, 2)
    moved = {n for n, t in trainer.nets.state_dict().items() if not torch.equal(t, before[n])}
    for name, _ in trainer.nets.named_parameters():
        # The last colours but one of G, and so on, all take part; class 0 to 9 all come up.
        assert name in moved, name
    assert all(torch.equal(t, watched[n]) for n, t in psi.state_dict().items())


def test_a_resumed_run_takes_the_same_steps(data: ImageSet, psi: WideResNet) -> None:
    whole = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    run(whole, 0, 4)
    first = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    run(first, 0, 2)
    state = copy.deepcopy(first.state_dict())
    second = GeneratorTrainer(SIZE, data, psi, 1, "cpu")
    second.load_state_dict(state)
    second.batches = first.batches
    run(second, 2, 4)
    for name, tensor in whole.averages.state_dict().items():
        assert torch.equal(tensor, second.averages.state_dict()[name]), name


def test_the_average_follows_behind(data: ImageSet, psi: WideResNet) -> None:
    trainer = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    run(trainer, 0, 1)
    start = trainer.averages["G"].start.weight.clone()
    now = trainer.nets["G"].start.weight.clone()
    run(trainer, 1, 2)
    after, latest = trainer.averages["G"].start.weight, trainer.nets["G"].start.weight
    decay = 2 / 51
    torch.testing.assert_close(after, decay * start + (1 - decay) * latest)
    assert not torch.equal(now, latest)


def test_the_mapping_network_learns_the_codes_and_the_codes_do_not_move(
    data: ImageSet, psi: WideResNet
) -> None:
    trainer = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    trainer.nets.requires_grad_(True)
    images, labels = data.images[:32], data.labels[:32]
    code, _ = trainer.nets["E"].parts(images)
    trainer.evidence_bound(code.detach(), labels).backward()
    for name, parameter in trainer.nets.named_parameters():
        learns = name.startswith(("Q.", "G.map.", "G.embed."))
        assert (parameter.grad is not None and bool(parameter.grad.any())) == learns, name


def test_every_other_image_is_redrawn_from_one_w(data: ImageSet, psi: WideResNet) -> None:
    trainer = GeneratorTrainer(SIZE, data, psi, 0, "cpu")
    common, offsets = trainer.nets["E"].parts(data.images[:4])
    near = trainer.near(common, offsets)
    torch.testing.assert_close(near[0], common[0].expand_as(near[0]))
    torch.testing.assert_close(near[1], common[1] + offsets[1])
