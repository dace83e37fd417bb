"""The paper's own generators: plain adversarial trainings, resumable, and what is measured."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from red_core.data.assets import read_manifest, read_tensors
from red_core.data.datasets import ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.recipes import inversion, paper_generator
from red_core.recipes.common import RecipeContext

SIZE = 96
SETS = ("mnist", "fashion")


def drawn(dataset: str, split: str) -> ImageSet:
    """Bright bars on noise; those of the held-out images stand upright."""
    draw = torch.Generator().manual_seed(len(split))
    labels = torch.arange(SIZE) % 10
    images = 0.1 * torch.rand(SIZE, 1, 28, 28, generator=draw)
    for image, label in zip(images, labels, strict=True):
        image[0, 2 * label + 3 : 2 * label + 6] += 0.8
    return ImageSet(images.mT if split == "held_out" else images, labels, "drawn")


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A work folder; assets, data and psi of this test's own, and a short inversion."""
    torch.manual_seed(1)
    psi = Table3CNN().eval()
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    for module in (paper_generator, inversion):
        monkeypatch.setattr(module, "load_official", drawn)
    monkeypatch.setattr(inversion, "load_classifier", lambda context: psi)
    monkeypatch.setattr(paper_generator, "BATCH", 16)
    for name, short in (("BATCH", 20), ("START_STEPS", 2), ("STEPS", 3)):
        monkeypatch.setattr(inversion, name, short)
    return tmp_path / "work"


@pytest.mark.parametrize("dataset", SETS)
def test_g_is_written_with_its_measured_figures(work: Path, dataset: str) -> None:
    paper_generator.train_paper_generator(RecipeContext(dataset, work=work, scale="tiny"))
    entry = read_manifest(dataset)[paper_generator.FILE]
    assert entry["latent"] == 100
    assert "--only paper_generator" in entry["command"]
    assert entry["bytes"] < 2_000_000
    measured = entry["measured"]
    assert (measured["epochs"], measured["inverted_digits"]) == (2, 20)
    assert measured["mean_l2_distance"] > 0
    assert 0 <= measured["psi_accuracy_on_inverted"] <= 1
    generator = DCGANGenerator()
    generator.load_state_dict(read_tensors(dataset, paper_generator.FILE))
    images = generator.eval()(torch.randn(4, 100))
    assert images.shape == (4, 1, 28, 28)
    assert 0 < images.min() <= images.max() < 1


@pytest.mark.parametrize("dataset", SETS)
def test_a_stopped_training_goes_on_to_the_same_weights(
    work: Path, dataset: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    paper_generator.train_paper_generator(RecipeContext(dataset, work=work, scale="tiny"))
    whole = read_tensors(dataset, paper_generator.FILE)
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "again"))
    again = RecipeContext(dataset, work=tmp_path / "work-again", scale="tiny")
    save = paper_generator.save_checkpoint

    def save_then_die(path: Path, **state: object) -> None:
        save(path, **state)
        raise KeyboardInterrupt

    monkeypatch.setattr(paper_generator, "save_checkpoint", save_then_die)
    with pytest.raises(KeyboardInterrupt):
        paper_generator.train_paper_generator(again)
    assert not read_manifest(dataset)
    torch.manual_seed(99)
    monkeypatch.setattr(paper_generator, "save_checkpoint", save)
    paper_generator.train_paper_generator(again)
    for name, tensor in read_tensors(dataset, paper_generator.FILE).items():
        torch.testing.assert_close(tensor, whole[name])


@pytest.mark.parametrize("dataset", SETS)
def test_held_out_images_are_never_trained_on(
    work: Path, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = paper_generator.TRAININGS[dataset]
    seen: list[torch.Tensor] = []

    def watched(network: nn.Module, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        seen.append(real)
        return training.judge(network, real, fake)

    monkeypatch.setitem(paper_generator.TRAININGS, dataset, replace(training, judge=watched))
    paper_generator.train_paper_generator(RecipeContext(dataset, work=work, scale="tiny"))
    given = torch.cat(seen)
    # Every training image once an epoch; the bars of the held-out ones stand upright.
    assert len(given) == 2 * SIZE
    expected = drawn(dataset, "train").images.repeat(2, 1, 1, 1)
    torch.testing.assert_close(
        given.flatten(1).sum(1).sort().values, expected.flatten(1).sum(1).sort().values
    )
    assert (given.std(dim=3).mean() < given.std(dim=2).mean()).item()


def test_fashions_g_moves_after_every_second_critic_step(work: Path) -> None:
    torch.manual_seed(0)
    trainer = paper_generator._Trainer(paper_generator.TRAININGS["fashion"], "cpu")
    moved = []
    for number in range(4):
        before = trainer.generator.up1.weight.detach().clone()
        trainer.step(torch.rand(8, 1, 28, 28), number)
        moved.append(not torch.equal(before, trainer.generator.up1.weight))
    assert moved == [False, True, False, True]


def test_g_moves_towards_what_the_discriminator_takes_for_real() -> None:
    """One step along G's loss raises D's scores, for either loss."""
    for fool in (paper_generator.non_saturating, paper_generator.wasserstein_share):
        scores = torch.tensor([-3.0, 0.0, 2.0], requires_grad=True)
        fool(scores).backward()
        assert (scores.grad < 0).all()


def test_the_discriminators_cross_entropy_is_pytorchs() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 1), nn.Flatten(0))
    real, fake = torch.rand(2, 6, 1, 28, 28)
    bce = nn.BCEWithLogitsLoss()
    expected = bce(network(real), torch.ones(6)) + bce(network(fake), torch.zeros(6))
    torch.testing.assert_close(paper_generator.cross_entropy(network, real, fake), expected)
