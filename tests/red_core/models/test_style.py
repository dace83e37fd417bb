"""The style generator: shapes, determinism, and what every w and every label does."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from red_core.models.style import StyleGenerator
from red_core.models.style_partners import (
    LARGEST,
    StyleDiscriminator,
    StyleEncoder,
    StylePosterior,
)
from red_core.recipes.cifar10.generator import SIZES

LABELS = torch.tensor([0, 3, 9])


@pytest.fixture
def generator() -> StyleGenerator:
    torch.manual_seed(0)
    made = StyleGenerator((16, 16, 8, 8), latent=8, width=16)
    made.measure_means(100)
    return made.requires_grad_(False)


def test_shapes_and_range(generator: StyleGenerator) -> None:
    w = generator.mapping(torch.randn(3, 8), LABELS)
    assert w.shape == (3, 16)
    images = generator.synthesis(w)
    assert images.shape == (3, *generator.image_shape) == (3, 3, 32, 32)
    assert 0 <= images.min() < images.max() <= 1
    assert generator.layers == 9


def test_one_w_is_the_same_w_for_every_layer(generator: StyleGenerator) -> None:
    w = generator.mapping(torch.randn(3, 8), LABELS)
    stack = w[:, None].repeat(1, generator.layers, 1)
    # The two have other strides, so their convolutions may take other kernels.
    torch.testing.assert_close(generator.synthesis(w), generator.synthesis(stack))
    assert torch.equal(generator(stack), generator.synthesis(stack))


def test_an_image_hangs_on_its_seed_and_class_alone(generator: StyleGenerator) -> None:
    together = generator.sample(LABELS, [5, 6, 7])
    torch.manual_seed(99)
    alone = generator.sample(LABELS[1:2], [6])
    torch.testing.assert_close(together[1:2], alone)
    assert not torch.allclose(alone, generator.sample(LABELS[1:2], [8]))


def test_the_class_matters(generator: StyleGenerator) -> None:
    seeds = [4] * 10
    images = generator.sample(torch.arange(10), seeds).flatten(1)
    apart = torch.cdist(images, images)
    assert (apart + torch.eye(10)).min() > 1e-3


def test_gradients_reach_every_w(generator: StyleGenerator) -> None:
    w = torch.randn(2, generator.layers, 16, requires_grad=True)
    generator.synthesis(w)[0].square().sum().backward()
    assert w.grad is not None
    reached = w.grad.abs().amax(2)
    assert (reached[0] > 0).all(), "every layer's w moves the image"
    assert (reached[1] == 0).all(), "and no other image's does"


def test_every_layer_has_its_own_w(generator: StyleGenerator) -> None:
    w = torch.randn(1, generator.layers, 16)
    plain = generator.synthesis(w)
    for layer in range(generator.layers):
        other = w.clone()
        other[:, layer] += 1
        assert (generator.synthesis(other) - plain).abs().max() > 1e-4


def test_every_convolution_is_told_where_things_are(generator: StyleGenerator) -> None:
    for layer in (*generator.convolutions, *generator.colours):
        for head in ("scale", "shift"):
            if hasattr(layer, head):
                getattr(layer, head).weight.zero_()
    w = torch.randn(1, generator.layers, 16)
    plain = generator.synthesis(w)
    for number in range(1, generator.layers - 1):
        other = w.clone()
        other[:, number] += 1  # with nothing left to modulate, only the field can change
        assert (generator.synthesis(other) - plain).std((2, 3)).max() > 1e-5, number


def test_means_are_of_their_class(generator: StyleGenerator) -> None:
    z = torch.randn(4000, 8)
    expected = generator.mapping(z, torch.full((4000,), 3)).mean(0)
    found = generator.mean_w(torch.tensor([3]))
    assert found.shape == (1, 16)
    spread = generator.mapping(z, torch.full((4000,), 3)).std(0).mean()
    assert (found[0] - expected).abs().max() < 0.5 * spread
    torch.testing.assert_close(generator.mean_w(), generator.class_means.mean(0, keepdim=True))


def test_a_stored_file_tells_every_size(generator: StyleGenerator) -> None:
    again = StyleGenerator.from_tensors(generator.state_dict())
    assert again.channels == generator.channels
    assert torch.equal(again.sample(LABELS, [1, 2, 3]), generator.sample(LABELS, [1, 2, 3]))
    assert torch.equal(again.mean_w(), generator.mean_w())


def test_bad_shapes_and_labels_are_named(generator: StyleGenerator) -> None:
    with pytest.raises(ValueError, match=r"\[B, 8\]"):
        generator.mapping(torch.randn(3, 9), LABELS)
    with pytest.raises(ValueError, match="0 to 9"):
        generator.mapping(torch.randn(1, 8), torch.tensor([10]))
    with pytest.raises(ValueError, match="0 to 9"):
        generator.mean_w(torch.tensor([-1]))
    with pytest.raises(ValueError, match=r"\[B, 9, 16\]"):
        generator.synthesis(torch.randn(2, 4, 16))
    with pytest.raises(ValueError, match="as many seeds"):
        generator.sample(LABELS, [1])


@pytest.mark.parametrize("scale", ["cpu", "gpu"])
def test_a_cpu_can_invert_it_live(scale: str) -> None:
    """At most 16 M parameters, and 0.5 GFLOP (2 a multiply-add) for one image."""
    size = SIZES[scale]
    generator = StyleGenerator(size.channels, size.latent, size.width)
    assert sum(p.numel() for p in generator.parameters()) < 16e6
    with FlopCounterMode(display=False) as counter:
        generator.sample(torch.tensor([0]), [0])
    assert counter.get_total_flops() < 0.5e9


def test_the_discriminator_reads_the_label() -> None:
    torch.manual_seed(0)
    critic = StyleDiscriminator(4)
    images = torch.rand(3, 3, 32, 32)
    scores = critic(images, LABELS)
    assert scores.shape == (3,)
    other = critic(images, torch.tensor([1, 3, 9]))
    assert scores[0] != other[0]
    torch.testing.assert_close(scores[1:], other[1:])


def test_the_encoder_makes_a_point_of_w_plus() -> None:
    encoder, images = StyleEncoder(9, 16, 4).eval(), torch.rand(2, 3, 32, 32)
    common, offsets = encoder.parts(images)
    assert common.shape == (2, 16)
    torch.testing.assert_close(encoder(images), common[:, None] + offsets)
    assert offsets.shape == (2, 9, 16)


def test_a_code_of_the_encoder_is_bounded() -> None:
    encoder = StyleEncoder(9, 16, 4).eval()
    with torch.no_grad():
        for head in (encoder.common, encoder.offsets):
            head.weight.mul_(1e4)
    for part in encoder.parts(torch.rand(2, 3, 32, 32)):
        assert 0.9 * LARGEST < part.abs().max() <= LARGEST


def test_the_posterior_tells_of_z_by_w_and_class() -> None:
    posterior, w = StylePosterior(8, 16), torch.randn(2, 16)
    mean, log_variance = posterior(w, torch.tensor([0, 1]))
    assert mean.shape == log_variance.shape == (2, 8)
    assert -8 <= log_variance.min() <= log_variance.max() <= 1
    other, _ = posterior(w, torch.tensor([2, 1]))
    assert not torch.equal(other[0], mean[0])
    torch.testing.assert_close(other[1], mean[1])
