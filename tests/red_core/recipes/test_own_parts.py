"""A classifier or generator that cannot be used is refused in one sentence that says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from red_core.attacks.pgd import AttackSettings
from red_core.data.datasets import ImageSet
from red_core.models.model_file import FixedBatch, ModelFileError
from red_core.models.own_generator import LatentGenerator
from red_core.recipes.own_parts import (
    Fidelity,
    check_attackable,
    check_classifier,
    check_range,
    measure_generator,
)
from red_core.run.project import OwnClassifier

IMAGES = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(0))
Change = Callable[[Tensor], Tensor]


class Net(nn.Module):
    """A linear classifier of 3 classes with something changed about its answer or its input."""

    def __init__(self, after: Change = lambda x: x, before: Change = lambda x: x) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer, self.after, self.before = nn.Linear(36, 3), after, before

    def forward(self, images: Tensor) -> Tensor:
        return self.after(self.layer(self.before(images).view(len(images), -1)))


def only(size: int) -> Change:
    def check(images: Tensor) -> Tensor:
        if len(images) != size:
            raise RuntimeError(f"expected batch {size}")
        return images

    return check


def test_a_sound_classifier_is_taken_in_any_memory_order() -> None:
    psi = check_classifier(Net(), IMAGES, 3, (0.5,), (0.25,))
    assert torch.allclose(psi(IMAGES), Net()((IMAGES - 0.5) / 0.25))
    colour = torch.rand(8, 3, 4, 3).to(memory_format=torch.channels_last)
    assert check_classifier(Net(), colour, 3)(colour).shape == (8, 3)  # `view` needs contiguous


def test_a_classifier_of_single_images_is_looped_over() -> None:
    psi = check_classifier(Net(before=only(1)), IMAGES, 3)
    assert isinstance(psi.network, FixedBatch)
    assert torch.allclose(psi(IMAGES), Net()(IMAGES), atol=1e-6)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Linear(7, 3), "fails on images 1 x 6 x 6"),
        (Net(before=only(4)), "fails on images 1 x 6 x 6: expected batch 4"),
        (Net(lambda x: x[:, :2]), "answers one image with [1, 2], and logits [1, 3] are needed"),
        (Net(lambda x: x[0]), "answers one image with [3]"),
        (Net(lambda x: x[:1]), "answers 3 images with [1, 3]: its batch size seems to be fixed"),
        (Net(lambda x: x / 0), "logits are not finite"),
        (Net(lambda x: x + torch.rand(1)), "answers the same images differently at every call"),
        (Net(lambda x: x - x.mean(0)), "depends on its neighbours"),
        (Net(lambda x: x.softmax(1)), "returns probabilities: return logits"),
        (Net(lambda x: x.detach()), "no gradient of the classifier's logits reaches the image"),
        (Net(lambda x: 3 * x.round()), "no gradient of the classifier's logits reaches the image"),
        (Net(lambda x: [x]), "it returns list, and a tensor is needed"),  # type: ignore[arg-type]
    ],
)
def test_a_fault_is_named(network: nn.Module, said: str) -> None:
    with pytest.raises(ModelFileError) as error:
        check_classifier(network, IMAGES, 3)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_normalisation_of_other_channels_is_refused() -> None:
    with pytest.raises(ModelFileError, match="mean and std are 1 or 1 numbers"):
        check_classifier(Net(), IMAGES, 3, (0.5, 0.5), (1.0,))
    with pytest.raises(ModelFileError, match="std is above 0"):
        check_classifier(Net(), IMAGES, 3, (0.5,), (0.0,))


def thresholded(low: float) -> tuple[nn.Module, ImageSet]:
    """Two classes, dark and light; light is above `low` in the network's own input."""

    class Mean(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            light = images.mean((1, 2, 3)) - low
            return torch.stack((-light, light), 1)

    shades = torch.linspace(0.1, 0.9, 40)
    return Mean(), ImageSet(
        shades[:, None, None, None].expand(-1, 1, 6, 6), shades.gt(0.5).long(), ""
    )


@pytest.mark.parametrize(
    ("low", "flags"), [(0.0, "--mean 0.5 --std 0.5"), (127.5, "--mean 0 --std 0.003922")]
)
def test_another_input_range_is_recommended(low: float, flags: str) -> None:
    network, data = thresholded(low)
    with pytest.raises(ModelFileError) as error:
        check_range(OwnClassifier(network), data)
    assert "right on 50.0% of 40 images with mean 0 and std 1, and on 100.0% with" in str(
        error.value
    )
    assert flags in str(error.value)


def test_the_right_range_is_measured_and_guessing_refused() -> None:
    network, data = thresholded(0.5)
    assert check_range(OwnClassifier(network), data) == 1
    with pytest.raises(ModelFileError, match=r"right on 0\.0% of 40 images, and guessing on 50"):
        check_range(OwnClassifier(network), ImageSet(data.images, 1 - data.labels, ""))


ATTACKS = {"l2": AttackSettings("l2", 1.0, 0.2, 10)}


def test_a_classifier_that_is_sure_of_everything_can_be_attacked() -> None:
    data = ImageSet(IMAGES, Net()(IMAGES).argmax(1), "")
    for scale in (1, 1000):
        check_attackable(OwnClassifier(Net(lambda x, by=scale: by * x)), data, ATTACKS, 0)


def test_attacks_that_never_move_are_refused() -> None:
    data = ImageSet(IMAGES, Net()(IMAGES).argmax(1), "")
    flat = OwnClassifier(Net(lambda x: x.detach() + 1e-12 * x))
    with pytest.raises(
        ModelFileError, match=r"of the l2 attacks on class \d stay at their random start"
    ):
        check_attackable(flat, data, ATTACKS, 0)


def test_a_generator_is_measured_by_inversion() -> None:
    class Shade(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return z.view(-1, 1, 1, 1).sigmoid() * torch.ones(1, 1, 6, 6)

    network, data = thresholded(0.5)
    psi, cpu = OwnClassifier(network), torch.device("cpu")
    found = measure_generator(LatentGenerator(Shade(), (1,), (1, 6, 6)), psi, data, 0, cpu)
    assert found.distance < 0.1
    assert found.share == 1
    assert found.usable
    assert found.words().startswith("good enough: 40 held-out images inverted")

    class Dark(Shade):
        def forward(self, z: Tensor) -> Tensor:
            return 0.3 * super().forward(z)

    found = measure_generator(LatentGenerator(Dark(), (1,), (1, 6, 6)), psi, data, 0, cpu)
    assert found.right == pytest.approx(0.5)
    assert not found.usable
    assert found.words().startswith("not good enough")


@pytest.mark.parametrize(
    ("right", "word", "usable"), [(0.9, "good", True), (0.8, "usable", True), (0.7, "not", False)]
)
def test_the_verdict_on_a_generator_in_words(right: float, word: str, usable: bool) -> None:
    found = Fidelity(50, 1.0, right, 1.0)
    assert found.words().startswith(word)
    assert found.usable == usable
    assert found.as_dict()["psi_accuracy_of_inversions"] == right
