"""The one interface of a style-based generator: ours, StyleGAN-XL, or any other.

Section 5.2.2 inverts in W+: the mapping network makes w of a latent z and a class, the synthesis
network draws an image from one w a layer. Whatever offers the members below can be inverted;
`check_generator` says in plain sentences what an object of your own still lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

_TOLERANCE = 1e-3  # relative, of what is computed again or in another batch
_SIZES = ("latent", "width", "layers", "classes")


class GeneratorError(ValueError):
    """An object is no generator of this interface; the message says why, a sentence a fault."""


class StyleLike(Protocol):
    """A class-conditional generator G with a mapping and a synthesis network.

    Every method works on a batch of B items, row by row: an item's result does not depend on its
    neighbours (up to rounding). Nothing is drawn at random but z, and that from named seeds, so
    equal arguments give equal results. Tensors are float32, labels int64, all on one device.
    """

    @property
    def latent(self) -> int:
        """The dimension of z."""
        ...

    @property
    def width(self) -> int:
        """The dimension of one w."""
        ...

    @property
    def layers(self) -> int:
        """How many w's make one point of W+."""
        ...

    @property
    def classes(self) -> int:
        """How many classes y there are, 0 to `classes` - 1; 1 where G is not conditional."""
        ...

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of one image: (3, 32, 32) on CIFAR-10."""
        ...

    def mapping(self, z: Tensor, labels: Tensor) -> Tensor:
        """w [B, width] of z [B, latent] ~ N(0, I) and labels [B] int64.

        Raises ValueError, in one sentence, for other shapes and for labels that are no class.
        """
        ...

    def synthesis(self, w: Tensor) -> Tensor:
        """Images [B, *image_shape] in [0, 1] of w [B, layers, width], or [B, width] for all layers.

        Differentiable in every w. Raises ValueError, in one sentence, for other shapes.
        """
        ...

    def sample(self, labels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Images [B, *image_shape] of classes `labels` [B]; z_i is drawn from seeds[i] alone.

        Raises ValueError where there are not as many seeds as labels.
        """
        ...

    def mean_w(self, labels: Tensor | None = None) -> Tensor:
        """The mean w of each label's class [B, width]; without labels of all classes, [1, width].

        The place from which an inversion starts. The same at every call.
        """
        ...


def check_generator(generator: StyleLike, shape: tuple[int, int, int] = (3, 32, 32)) -> None:
    """Run a generator once, two images of each network, and hold it against the interface.

    shape: of the images that are to be inverted. Raises GeneratorError with one sentence for each
    fault found: missing members, shapes, values outside [0, 1] or not finite, results that change
    from call to call or with the batch, labels without effect, gradients that miss some w.
    """
    faults = list(_missing(generator))
    if not faults and tuple(generator.image_shape) != shape:
        faults.append(f"Its images are {list(generator.image_shape)}, and {list(shape)} is needed.")
    if not faults:
        for check in (_check_mapping, _check_mean, _check_synthesis, _check_sample):
            try:
                faults += check(generator)
            except Exception as error:  # whatever a stranger's code raises is a fault of it
                what = check.__name__.removeprefix("_check_").replace("mean", "mean_w")
                text = " ".join(str(error).split())
                faults.append(f"`{what}` failed with {type(error).__name__}: {text}")
    if faults:
        raise GeneratorError(" ".join(faults))


def _missing(generator: StyleLike) -> Iterator[str]:
    for name in _SIZES:
        value = getattr(generator, name, None)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            yield f"`{name}` must be a whole number from 1, not {value!r}."
    if not isinstance(getattr(generator, "image_shape", None), tuple):
        yield "`image_shape` must be (channels, height, width)."
    for name in ("mapping", "synthesis", "sample", "mean_w"):
        if not callable(getattr(generator, name, None)):
            yield f"It has no method `{name}`."


def _draw(generator: StyleLike) -> tuple[Tensor, Tensor]:
    """z [2, latent] and two different labels where there are two, on the generator's device."""
    z = torch.randn(2, generator.latent, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, generator.classes - 1])
    device = generator.mean_w().device
    return z.to(device), labels.to(device)


def _far(first: Tensor, second: Tensor, tolerance: float = _TOLERANCE) -> bool:
    """Whether two results differ by more than rounding, measured against their own size."""
    difference, size = (first - second).detach().abs().max(), first.detach().abs().max()
    return not float(difference) <= tolerance * float(size)


def _silent(call: Callable[[], object]) -> bool:
    """Whether a call that should raise ValueError does not."""
    try:
        call()
    except ValueError:
        return False
    return True


@torch.no_grad()
def _check_mapping(generator: StyleLike) -> Iterator[str]:
    z, labels = _draw(generator)
    w = generator.mapping(z, labels)
    if w.shape != (2, generator.width):
        yield f"`mapping` returned {list(w.shape)} instead of [2, {generator.width}]."
        return
    if not w.isfinite().all():
        yield "`mapping` returned values that are not finite."
        return
    if _far(w, generator.mapping(z, labels)):
        yield "`mapping` is not deterministic."
    if _far(w[:1], generator.mapping(z[:1], labels[:1])):
        yield "`mapping` of one item depends on its neighbours in the batch."
    same = generator.mapping(torch.stack((z[0], z[0])), labels)
    if generator.classes > 1 and not _far(same[0], same[1], 1e-5):
        yield "`mapping` pays no attention to the label."
    if _silent(lambda: generator.mapping(z, labels + generator.classes)):
        yield "`mapping` must raise ValueError for a label that is no class."


@torch.no_grad()
def _check_mean(generator: StyleLike) -> Iterator[str]:
    _, labels = _draw(generator)
    for given, rows in ((None, 1), (labels, 2)):
        mean = generator.mean_w(given)
        if mean.shape != (rows, generator.width):
            yield f"`mean_w` returned {list(mean.shape)} instead of [{rows}, {generator.width}]."
        elif not mean.isfinite().all():
            yield "`mean_w` returned values that are not finite."
        elif not torch.equal(mean, generator.mean_w(given)):
            yield "`mean_w` is not deterministic."


def _check_synthesis(generator: StyleLike) -> Iterator[str]:
    with torch.no_grad():
        w = generator.mapping(*_draw(generator))
    stack = w[:, None].repeat(1, generator.layers, 1).requires_grad_()
    images = generator.synthesis(stack)
    yield from _image_faults("synthesis", images, generator)
    if images.shape != (2, *generator.image_shape):
        return
    with torch.no_grad():
        if _far(images, generator.synthesis(stack)):
            yield "`synthesis` is not deterministic: it must draw no noise."
        if _far(images[:1], generator.synthesis(stack[:1])):
            yield "`synthesis` of one item depends on its neighbours in the batch."
        if _far(images, generator.synthesis(w)):
            yield "`synthesis` of w [B, width] differs from that of the same w in every layer."
        if _silent(lambda: generator.synthesis(stack[:, :, :-1])):
            yield "`synthesis` must raise ValueError for w of another shape."
    # Weighted, so that a network whose images sum to a constant is not misjudged.
    weights = torch.linspace(0.5, 1.5, images[0].numel(), device=images.device)
    if not images.requires_grad:
        yield "`synthesis` is not differentiable in w."
        return
    (gradient,) = torch.autograd.grad((images.flatten(1) * weights).sum(), stack)
    if not gradient.isfinite().all():
        yield "The gradient of `synthesis` is not finite."
    elif dead := [i for i in range(generator.layers) if not gradient[:, i].any()]:
        yield f"No gradient reaches w of the layers {', '.join(map(str, dead))} (counted from 0)."


@torch.no_grad()
def _check_sample(generator: StyleLike) -> Iterator[str]:
    _, labels = _draw(generator)
    images = generator.sample(labels, [1, 2])
    yield from _image_faults("sample", images, generator)
    if images.shape != (2, *generator.image_shape):
        return
    if _far(images, generator.sample(labels, [1, 2])):
        yield "`sample` draws other images from the same seeds."
    if _far(images[1:], generator.sample(labels[1:], [2])):
        yield "`sample` of one seed depends on its neighbours in the batch."
    if torch.equal(images, generator.sample(labels, [3, 4])):
        yield "`sample` pays no attention to the seed."
    if _silent(lambda: generator.sample(labels, [1])):
        yield "`sample` must raise ValueError where seeds are missing."


def _image_faults(method: str, images: Tensor, generator: StyleLike) -> Iterator[str]:
    expected = [2, *generator.image_shape]
    if list(images.shape) != expected:
        yield f"`{method}` returned {list(images.shape)} instead of {expected}."
        return
    if not images.isfinite().all():
        yield f"`{method}` returned values that are not finite."
        return
    low, high = float(images.detach().min()), float(images.detach().max())
    if low < 0 or high > 1:
        yield f"`{method}` returned values from {low:.2f} to {high:.2f}, not in [0, 1]."
