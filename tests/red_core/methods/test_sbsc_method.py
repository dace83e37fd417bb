"""The method sbsc: what it answers, from which files, and how well on the bundled digits."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

import red_core.methods.sbsc_method
import red_core.sbsc.decision
from red_core.algorithm.problem import AttackDictionary
from red_core.data.assets import AssetError, write_tensors
from red_core.data.datasets import ImageSet
from red_core.methods import ANSWERS, fit
from red_core.methods.sbsc_method import Sbsc
from red_core.run.bundle import Bundle, load_bundle
from red_core.sbsc import BlockDictionary
from tests.red_core.ties import lead


@pytest.fixture
def sparse_bundle(toy_folder: Path, tmp_path: Path, monkeypatch) -> Bundle:
    """The toy assets with a signal dictionary of five images a class."""
    root = tmp_path / "assets"
    shutil.copytree(toy_folder, root)
    monkeypatch.setenv("RED_ASSETS", str(root))
    images = torch.randint(256, (10, 5, 1, 28, 28), dtype=torch.uint8)
    write_tensors(
        "mnist", "signal_dictionary.safetensors", {"images": images}, command="python -m red_core"
    )
    return load_bundle("mnist")


def test_it_answers_class_and_attack_with_both_parts_of_the_image(sparse_bundle: Bundle) -> None:
    images = sparse_bundle.examples.images[:3]
    answers = fit("sbsc", sparse_bundle).classify(images, [0, 1, 2])
    for one in (answers, answers.readings["all-rounds"]):
        assert one.signal.shape == one.attack.shape == (3,)
        assert bool(((one.signal >= 0) & (one.signal < 10)).all())
        assert ANSWERS.index("none") not in one.attack.tolist()
        assert one.reconstruction.shape == one.perturbation.shape == images.shape
        assert one.reconstruction.dtype == images.dtype
        left = images - one.reconstruction - one.perturbation
        assert float(left.square().sum()) < float(images.square().sum())


def test_chunks_change_nothing(sparse_bundle: Bundle, monkeypatch) -> None:
    images = sparse_bundle.examples.images[:5]
    method = fit("sbsc", sparse_bundle)
    gaps = []
    smallest = red_core.sbsc.decision._smallest

    def measured(vectors: Tensor, allowed: Tensor) -> Tensor:
        lengths = vectors.norm(dim=2).masked_fill(~allowed, 1e9)
        gaps.append(lead(-lengths))
        return smallest(vectors, allowed)

    monkeypatch.setattr(red_core.sbsc.decision, "_smallest", measured)
    whole = method.classify(images, range(5))
    monkeypatch.setattr(red_core.methods.sbsc_method, "CHUNK", 2)
    parts = method.classify(images, range(5))
    # Other chunks take other kernels: in float64 no answer may be as near a tie as this.
    assert len(gaps) == 4 * (1 + 3)
    assert min(gaps) > 1e-6
    assert parts.signal.equal(whole.signal)
    assert parts.attack.equal(whole.attack)
    torch.testing.assert_close(parts.reconstruction, whole.reconstruction, rtol=0, atol=1e-5)


def test_it_tells_of_every_round(sparse_bundle: Bundle) -> None:
    heard = []
    images = sparse_bundle.examples.images[:2]
    answers = fit("sbsc", sparse_bundle).classify(
        images, [0, 1], lambda step, now: heard.append((step, now))
    )
    assert [step for step, _ in heard] == [1, 2, 3, 4]
    torch.testing.assert_close(heard[-1][1], answers.reconstruction)


def test_attacks_are_named_whatever_their_order_in_the_dictionary() -> None:
    """Blocks on pixels of their own: x' of one attack's pixels has that attack."""
    names = ("l1", "linf", "l2")
    eye = torch.eye(784)
    images = 2 * eye[:20].reshape(10, 2, 784)
    deltas = eye[20:80].reshape(10, 3, 2, 784)
    dictionary = AttackDictionary.from_attacks(deltas, names)
    method = red_core.methods.sbsc_method.Sbsc(BlockDictionary.of(images, dictionary))
    for j, name in enumerate(names):
        attacked = images[4].sum(0) + deltas[4, j].sum(0)
        answers = method.classify(attacked.reshape(1, 1, 28, 28), [0])
        assert int(answers.signal) == 4
        assert ANSWERS[int(answers.attack)] == name


def test_it_says_which_file_is_missing(toy_bundle: Bundle) -> None:
    with pytest.raises(AssetError, match="signal_dictionary"):
        fit("sbsc", toy_bundle)


def test_images_that_are_not_bundled_are_read_where_they_are(toy_assets: Path, monkeypatch) -> None:
    """CIFAR-10's D_s: the official training images that D_a attacks."""
    torch.manual_seed(0)
    train = ImageSet(torch.rand(30, 3, 32, 32), torch.arange(30) % 10, "made up")
    indices = torch.stack([torch.arange(10), torch.arange(20, 30)], 1)
    clean = red_core.methods.sbsc_method._clean_images
    stored = {"dictionary.safetensors": {"indices": indices.int()}}
    monkeypatch.setattr(red_core.methods.sbsc_method, "read_tensors", lambda _, name: stored[name])
    with pytest.raises(AssetError, match=r"CIFAR-10's own images, .* CIFAR10 is not under"):
        clean("cifar10", "signal_dictionary.safetensors")
    monkeypatch.setattr(red_core.methods.sbsc_method, "load_official", lambda *_: train)
    images = clean("cifar10", "signal_dictionary.safetensors")
    assert images.shape == (10, 2, 3, 32, 32)
    assert images[3, 1].equal(train.images[23])


def test_bundled_clean_digits_keep_their_class() -> None:
    """Thaker et al. and Table 1 have 92%; the bundled images are none of D_s."""
    bundle = load_bundle("mnist")
    images, labels = bundle.examples.images[:50], bundle.examples.labels[:50]
    answers = fit("sbsc", bundle).classify(images, range(50))
    assert float((answers.signal == labels).float().mean()) >= 0.84


def test_where_no_image_is_bundled_the_dictionary_is_the_only_file() -> None:
    assert Sbsc.files_on("mnist") == Sbsc.files
    assert Sbsc.files_on("cifar10") == ("dictionary.safetensors",)
