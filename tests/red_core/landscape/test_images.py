from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from red_core.algorithm.problem import RedProblem
from red_core.landscape import (
    Bounds,
    ImageSheet,
    held_target,
    hessian_plane,
    image_loss,
    pca_plane,
)
from red_core.run.bundle import Bundle

BOUNDS = Bounds(-1.0, 1.0, -0.5, 0.5)


def sheet_of(network: Callable[[Tensor], Tensor], path: Tensor) -> ImageSheet:
    sheet = ImageSheet(network, path[0], pca_plane(path), BOUNDS, sizes=(3, 5), chunk=4)
    while not sheet.done:
        sheet.advance()
    return sheet


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_sheet_gives_the_surface_of_every_c_a(make_instance, dtype: torch.dtype) -> None:
    instance = make_instance(dtype=dtype)
    problem, network = instance.problem, instance.network
    path = torch.randn(6, 4, dtype=dtype)
    sheet = sheet_of(network, path)
    for c_a in torch.randn(3, problem.dictionary.size, dtype=dtype):
        surface = sheet.surface(held_target(problem, c_a, item=1), "held")
        assert surface.values.dtype == dtype
        for j, i in ((0, 0), (2, 3), (4, 1)):
            spot = torch.stack((surface.x[i], surface.y[j]))
            z = sheet.plane.points(spot).to(dtype)
            left = problem.flat[1] - network(z[None])[0] - problem.dictionary.combine(c_a)
            torch.testing.assert_close(surface.values[j, i], left.square().sum())


def test_coarse_surfaces_come_first_and_agree(make_instance) -> None:
    instance = make_instance()
    problem, network = instance.problem, instance.network
    path = torch.randn(6, 4, dtype=torch.float64)
    sheet = ImageSheet(network, path[0], pca_plane(path), BOUNDS, sizes=(3, 5), chunk=9)
    assert sheet.advance()
    target = problem.flat[0]
    coarse = sheet.surface(target, "held")
    while not sheet.done:
        sheet.advance()
    fine = sheet.surface(target, "held")
    assert (coarse.size, fine.size) == (3, 5)
    # The coarse grid's points went through G in other chunks than the fine one's.
    torch.testing.assert_close(coarse.values, fine.values[::2, ::2])
    torch.testing.assert_close(sheet.surface(target, "held", level=0).values, coarse.values)


def test_the_slice_through_an_iterate_has_its_loss(make_instance) -> None:
    instance = make_instance()
    problem, network = instance.problem, instance.network
    path = torch.randn(6, 4, dtype=torch.float64)
    z, c_a = path[2], torch.randn(problem.dictionary.size, dtype=torch.float64)
    plane = pca_plane(path).through(z)
    x, y = plane.coordinates(z).tolist()
    here = Bounds(x - 1, x + 1, y - 1, y + 1)
    sheet = ImageSheet(network, z, plane, here, sizes=(3,))
    sheet.advance()
    loss = (problem.flat[0] - network(z[None])[0] - problem.dictionary.combine(c_a)).square().sum()
    surface = sheet.surface(held_target(problem, c_a), "held")
    torch.testing.assert_close(surface.values[1, 1], loss)


def test_the_tether_is_added_and_said(make_instance) -> None:
    instance = make_instance()
    problem, network = instance.problem, instance.network
    path = torch.randn(6, 4, dtype=torch.float64)
    sheet, target = sheet_of(network, path), problem.flat[0]
    anchor = torch.randn(4, dtype=torch.float64)
    plain = sheet.surface(target, "held")
    pulled = sheet.surface(target, "held", latent_penalty=(0.3, anchor))
    spots = torch.stack(torch.meshgrid(plain.x, plain.y, indexing="xy"), dim=-1)
    away = (sheet.plane.points(spots) - anchor).square().sum(-1)
    torch.testing.assert_close(pulled.values - plain.values, 0.3 * away)
    assert "anchor" in pulled.caption
    assert "anchor" not in plain.caption
    assert sheet.surface(target, "held", latent_penalty=(0.0, anchor)).caption == plain.caption
    z = path[0]
    value = image_loss(network, z, target, (0.3, anchor))(z)
    expected = (network(z[None])[0] - target).square().sum() + 0.3 * (z - anchor).square().sum()
    torch.testing.assert_close(value, expected)


def test_the_images_themselves_are_kept(make_instance) -> None:
    network = make_instance().network
    path = torch.randn(6, 4, dtype=torch.float64)
    x, y, images = sheet_of(network, path).stored()
    z = pca_plane(path).points(torch.stack((x[3], y[1])))
    torch.testing.assert_close(images[1, 3], network(z[None])[0])


def test_points_are_flat_whatever_the_shape_of_z(make_instance) -> None:
    instance = make_instance()
    network, target = instance.network, instance.problem.flat[0]

    def squared(z: Tensor) -> Tensor:
        assert z.shape[1:] == (2, 2)
        return network(z.flatten(1))

    path = torch.randn(6, 4, dtype=torch.float64)
    like = path[0].reshape(2, 2)
    sheets = [
        ImageSheet(generator, one, pca_plane(path), BOUNDS, sizes=(3,), chunk=4)
        for generator, one in ((network, path[0]), (squared, like))
    ]
    for sheet in sheets:
        while not sheet.done:
            sheet.advance()
    torch.testing.assert_close(sheets[0].stored()[2], sheets[1].stored()[2])  # z of another shape
    plain, shaped = (
        hessian_plane(image_loss(generator, one, target, (0.1, path[2])), path[-1])
        for generator, one in ((network, path[0]), (squared, like))
    )
    torch.testing.assert_close(plain.axes, shaped.axes)


def test_the_apps_own_generator_in_float32(toy_bundle: Bundle) -> None:
    problem = RedProblem(
        toy_bundle.examples.images[:1], toy_bundle.generator, toy_bundle.dictionary
    )
    path = torch.randn(4, toy_bundle.latent).cumsum(0)
    c_a = 0.1 * torch.randn(problem.dictionary.size)
    target = held_target(problem, c_a)
    plane = hessian_plane(image_loss(toy_bundle.generator, path[0], target), path[-1], path)
    assert plane.explained is not None
    sheet = ImageSheet(toy_bundle.generator, path[0], plane, BOUNDS, sizes=(3,))
    sheet.advance()
    values = sheet.surface(target, "held").values
    centre = toy_bundle.generator(path[-1:]).flatten()  # the plane goes through the path's end
    expected = (problem.flat[0] - centre - problem.dictionary.combine(c_a)).square().sum()
    torch.testing.assert_close(values[1, 1], expected, rtol=1e-4, atol=1e-4)
