"""`check_generator` accepts the house's generator and names what another one lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from red_core.models.generator_interface import GeneratorError, StyleLike, check_generator
from red_core.models.style import StyleGenerator


def small() -> StyleGenerator:
    torch.manual_seed(0)
    generator = StyleGenerator(channels=(8, 8, 8, 8), latent=6, width=10, classes=3)
    generator.measure_means(20)
    return generator.eval().requires_grad_(False)


def test_the_house_generator_passes() -> None:
    generator: StyleLike = small()
    check_generator(generator)
    check_generator(StyleGenerator((8, 8, 8, 8), 6, 10, classes=1))  # not conditional


class Noisy(StyleGenerator):
    def synthesis(self, w: Tensor) -> Tensor:
        images = super().synthesis(w)
        return (images + 0.1 * torch.rand_like(images)).clamp(0, 1)


class Signed(StyleGenerator):
    def synthesis(self, w: Tensor) -> Tensor:
        return 2 * super().synthesis(w) - 1


class Neighbourly(StyleGenerator):
    def synthesis(self, w: Tensor) -> Tensor:
        images = super().synthesis(w)
        return (images + images.mean(0, keepdim=True)) / 2


class Deaf(StyleGenerator):
    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        super().mapping(z, labels)
        return super().mapping(z, torch.zeros_like(labels))


class Half(StyleGenerator):
    """Its last layers draw with the w of the first."""

    def synthesis(self, w: Tensor) -> Tensor:
        if w.dim() == 3:
            w = torch.cat((w[:, :-2], w[:, :1], w[:, :1]), dim=1)
        return super().synthesis(w)


class Detached(StyleGenerator):
    def synthesis(self, w: Tensor) -> Tensor:
        return super().synthesis(w).detach()


class Wide(StyleGenerator):
    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        return super().mapping(z, labels).repeat(1, 2)


class Broken(StyleGenerator):
    def mean_w(self, labels: Tensor | None = None) -> Tensor:
        mean = super().mean_w(labels)
        return mean if labels is None else mean[:1]


class Careless(StyleGenerator):
    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        return super().mapping(z, labels % self.classes)


class Restless(StyleGenerator):
    def sample(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        return super().sample(labels, [int(torch.randint(1000, ())) for _ in seeds])


class Undefined(StyleGenerator):
    def synthesis(self, w: Tensor) -> Tensor:
        return super().synthesis(w) * torch.nan


class Raising(StyleGenerator):
    def sample(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        raise KeyError("z")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Noisy, "`synthesis` is not deterministic"),
        (Signed, "not in [0, 1]"),
        (Neighbourly, "`synthesis` of one item depends on its neighbours"),
        (Deaf, "`mapping` pays no attention to the label"),
        (Half, "No gradient reaches w of the layers 7, 8"),
        (Detached, "`synthesis` is not differentiable"),
        (Wide, "`mapping` returned [2, 20] instead of [2, 10]"),
        (Broken, "`mean_w` returned [1, 10] instead of [2, 10]"),
        (Careless, "`mapping` must raise ValueError for a label that is no class"),
        (Restless, "`sample` draws other images from the same seeds"),
        (Undefined, "`synthesis` returned values that are not finite"),
        (Raising, "`sample` failed with KeyError"),
    ],
)
def test_every_fault_has_its_sentence(kind: Callable[..., StyleGenerator], said: str) -> None:
    torch.manual_seed(0)
    generator = kind((8, 8, 8, 8), 6, 10, 3)
    generator.measure_means(20) if kind is not Wide else None
    with pytest.raises(GeneratorError) as refused:
        check_generator(generator)
    assert said in str(refused.value)


def test_another_size_of_image_and_missing_members_are_named() -> None:
    with pytest.raises(GeneratorError, match=r"\[3, 32, 32\], and \[3, 64, 64\] is needed"):
        check_generator(small(), (3, 64, 64))
    with pytest.raises(GeneratorError, match=r"`latent` must be .*It has no method `mapping`"):
        check_generator(object())  # type: ignore[arg-type]
