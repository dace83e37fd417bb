"""The landscape of a real problem: G on a grid once, then f for any c_a within a millisecond."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from red_core.algorithm.problem import Generator, RedProblem
from red_core.landscape.plane import Plane
from red_core.landscape.surface import SIZES, Bounds, Sheet, Surface

CHUNK = 64


def of_rows(generator: Generator, like: Tensor) -> Generator:
    """G of rows [R, d]: the points of planes and paths are flat, whatever shape of z G takes.

    like: one z [*latent] of G's shape and dtype, on its device; d: its number of elements.
    """

    def images(rows: Tensor) -> Tensor:
        return generator(rows.to(like).reshape(-1, *like.shape))

    return images


class ImageSheet(Sheet):
    """G(z) at every point of nested grids in a plane of the latent space.

    generator, like: as `of_rows` (z of the run, say). Since f depends on c_a through
    y = x' - D_a c_a alone, the same images give the surface of every iterate: while a run goes on
    nothing but `surface` need be called again. Rows [m, m, n] of `stored` are the images
    themselves.
    """

    def __init__(
        self,
        generator: Generator,
        like: Tensor,
        plane: Plane,
        bounds: Bounds,
        sizes: tuple[int, ...] = SIZES,
        chunk: int = CHUNK,
    ) -> None:
        flat = of_rows(generator, like)

        def images(points: Tensor) -> Tensor:
            with torch.no_grad():
                return flat(points).flatten(1)

        super().__init__(images, plane, bounds, sizes, chunk)

    def surface(
        self,
        target: Tensor,
        caption: str,
        level: int | None = None,
        latent_penalty: tuple[float, Tensor] | None = None,
    ) -> Surface:
        """f = ||y - G(z)||^2 over a complete grid, for y = x' - D_a c_a [n].

        caption: one sentence on what c_a is; level: as `stored`; tether: (w, anchor [d]) adds the
        solver's optional w ||z - anchor||^2 (w/2 in its objective, which is half of f).
        """
        x, y, images = self.stored(level)
        values = (images - target.detach().to(images)).square().sum(-1)
        text = f"f(z, c_a) = ||x' - G(z) - D_a c_a||², {caption}"
        if latent_penalty is not None and latent_penalty[0]:
            weight, anchor = latent_penalty
            place = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
            away = self.plane.points(place) - anchor.detach().to(self.plane.origin)
            values = values + (weight * away.square().sum(-1)).to(values)
            text += " The pull of z towards its anchor is added, as in the objective of the run."
        return Surface(self.plane, self.bounds, x, y, values, text)


def image_loss(
    generator: Generator,
    like: Tensor,
    target: Tensor,
    latent_penalty: tuple[float, Tensor] | None = None,
) -> Callable[[Tensor], Tensor]:
    """z [d] -> f = ||y - G(z)||^2 as a scalar to differentiate.

    For `hessian_plane`. generator, like: as `of_rows`; y [n], tether: as in `surface`.
    """
    flat = of_rows(generator, like)

    def value(z: Tensor) -> Tensor:
        loss = (flat(z[None]).flatten() - target).square().sum()
        if latent_penalty is not None:
            loss = loss + latent_penalty[0] * (z - latent_penalty[1]).square().sum()
        return loss

    return value


def held_target(problem: RedProblem, c_a: Tensor, item: int = 0) -> Tensor:
    """y = x' - D_a c_a [n] of one item, c_a [k]: what G(z) has to reach while c_a is held.

    An iterate knows it already: its image plus its residual, flattened.
    """
    return problem.flat[item] - problem.dictionary.combine(c_a[None])[0]
