"""Where z is likely: what is drawn, from which stream, and where starts are anchored."""

from __future__ import annotations

import pytest
import torch

from red_core.algorithm.z_steps import random_starts
from red_core.run.bundle import Bundle
from red_core.run.prior import GaussianPrior, StylePrior, nearest_draws, starts_from


def stream(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_gaussian_prior_draws_what_the_starts_always_were(toy_bundle: Bundle) -> None:
    prior = toy_bundle.prior
    assert isinstance(prior, GaussianPrior)
    assert prior.draw([stream(7), stream(9)], 4).equal(random_starts([7, 9], 4, *prior.shape))
    assert not prior.centre().any()
    assert prior.guess(toy_bundle.examples.images[:1]) is None


def test_a_style_prior_draws_w_of_the_mapping_network(toy_cifar10: Bundle) -> None:
    prior, generator = toy_cifar10.prior, toy_cifar10.generator
    assert isinstance(prior, StylePrior)
    assert prior.shape == (generator.layers, generator.width)
    assert toy_cifar10.latent == generator.layers * generator.width
    drawn = prior.draw([stream(3), stream(4)], 2)
    assert drawn.shape == (2, 2, *prior.shape)
    # Another batch size may take another matrix kernel, so not bit for bit.
    torch.testing.assert_close(drawn[0], prior.draw([stream(3)], 2)[0])
    assert not drawn[0].equal(drawn[1])
    assert drawn.equal(drawn[:, :, :1].expand_as(drawn)), "one w for all layers"
    source = stream(3)
    z = torch.randn(2, generator.latent, generator=source)
    y = torch.randint(10, (2,), generator=source)
    torch.testing.assert_close(drawn[0, :, 0], generator.mapping(z, y))


def test_the_centre_of_w_plus_is_the_mean_of_all_classes(toy_cifar10: Bundle) -> None:
    prior = toy_cifar10.prior
    assert isinstance(prior, StylePrior)
    classes = prior.class_centres()
    assert classes.shape == (10, *prior.shape)
    torch.testing.assert_close(prior.centre(), classes.mean(0))
    assert not classes[0].equal(classes[1])


def test_starts_come_in_order_and_know_their_anchors(toy_cifar10: Bundle) -> None:
    images, prior = toy_cifar10.examples.images[:3], toy_cifar10.prior
    starts, anchors = starts_from(prior, images, [1, 2, 3], restarts=2, mean=True)
    assert starts.shape == anchors.shape == (3, 3, *prior.shape)
    centre = prior.centre()
    assert starts[:, 0].equal(centre.expand_as(starts[:, 0]))
    assert anchors.equal(centre.expand_as(anchors))
    alone, _ = starts_from(prior, images[1:2], [2], restarts=2, mean=True)
    torch.testing.assert_close(alone[0], starts[1])


class Halves(torch.nn.Module):
    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).mean(1).view(-1, 1, 1).expand(-1, *self.shape).clone()


def test_an_encoders_guess_is_its_own_anchor_and_comes_first(toy_cifar10: Bundle) -> None:
    images, of = toy_cifar10.examples.images[:2], toy_cifar10.prior
    assert isinstance(of, StylePrior)
    prior = StylePrior(of.generator, Halves(of.shape), of.device)
    starts, anchors = starts_from(prior, images, [0, 1], restarts=0, mean=True, encoder=True)
    guess = prior.guess(images)
    assert guess is not None
    assert starts[:, 0].equal(guess)
    assert anchors[:, 0].equal(guess)
    assert anchors[:, 1].equal(prior.centre().expand_as(guess))


@pytest.mark.parametrize("bundle", ["toy_bundle", "toy_cifar10"])
def test_the_nearest_draws_are_those_of_an_exhaustive_search(
    bundle: str, request: pytest.FixtureRequest
) -> None:
    parts: Bundle = request.getfixturevalue(bundle)
    prior, images = parts.prior, parts.examples.images[:2]
    kept = nearest_draws(prior, parts.generator, images, [stream(5), stream(6)], 130, 4)
    assert kept.shape == (2, 4, *prior.shape)
    for image, seed, z in zip(images, (5, 6), kept, strict=True):
        drawn = prior.draw([stream(seed)], 130)[0]
        error = torch.stack([(parts.generator(one[None])[0] - image).norm() for one in drawn])
        nearest = error.argsort()[:4]
        assert float(error.sort().values[:6].diff().min()) > 1e-6, "no tie"
        torch.testing.assert_close(z, drawn[nearest])


def test_an_items_nearest_draws_come_from_its_own_seed_alone(toy_bundle: Bundle) -> None:
    images = toy_bundle.examples.images[:3]
    chosen = {"restarts": 3, "draws": 20, "generator": toy_bundle.generator}
    starts, anchors = starts_from(toy_bundle.prior, images, [1, 2, 3], mean=True, **chosen)
    assert starts.shape == (3, 4, 100)
    assert not starts[:, 0].any()
    assert not anchors.any()
    swapped, _ = starts_from(toy_bundle.prior, images[[2, 0]], [3, 1], mean=True, **chosen)
    assert swapped.equal(starts[[2, 0]])
    plain, _ = starts_from(toy_bundle.prior, images, [1, 2, 3], restarts=3)
    assert not plain.equal(starts[:, 1:])


def test_no_start_at_all_is_refused(toy_cifar10: Bundle) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        starts_from(
            toy_cifar10.prior, toy_cifar10.examples.images[:1], [0], restarts=0, encoder=True
        )
