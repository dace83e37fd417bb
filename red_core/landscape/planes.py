"""The planes a landscape can be cut along; each says what it is and what it projects away.

Every maker takes the path [K, d] too, where there is one, to state how much of it the plane shows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from red_core.landscape.plane import Plane, share
from red_core.landscape.principal import (
    completed,
    principal_axes,
    random_walk_shares,
    variance_shares,
)


def coordinate_plane(path: Tensor | None = None) -> Plane:
    """The whole latent space where d = 2: nothing is projected away."""
    return Plane(
        torch.zeros(2, dtype=torch.float64),
        torch.eye(2, dtype=torch.float64),
        ("z_1", "z_2"),
        "The whole latent space: d = 2, so nothing is projected away.",
        variance_shares(path, torch.eye(2)),
    )


def pca_plane(path: Tensor) -> Plane:
    """The plane of the path's first two principal components, through its last point.

    path [K, d]. Through the last point rather than the mean, so that the surface is exact where
    the run ended; no iterate need lie at the mean.
    """
    axes, _ = principal_axes(path)
    explained = variance_shares(path, axes)
    text = "The two directions in which the path varies most, through its last point."
    if explained is None:
        text = "The path never moves, so these are two arbitrary directions through it."
    return Plane(
        path[-1],
        axes,
        ("first principal component", "second principal component"),
        text,
        explained,
        None if explained is None else random_walk_shares(len(path) - 1, path.shape[1]),
    )


def difference_plane(z_0: Tensor, z_star: Tensor, path: Tensor | None = None) -> Plane:
    """The plane through z_0 and z_star [d] that holds most of the rest of the path.

    The first axis is z* - z_0, with z* at the origin of the coordinates; the second is the
    principal axis of what the path [K, d] does orthogonally to it. Without a path, or where the
    path never leaves that line, some orthogonal direction completes the plane. ValueError where
    z_0 = z*.
    """
    towards = (z_star - z_0).detach().cpu().double()
    if float(towards.norm()) == 0:
        raise ValueError("z_0 and z* are the same point: no direction leads from one to the other")
    first = towards / towards.norm()
    second, text = [], "and some direction orthogonal to it"
    if path is not None:
        points = path.detach().cpu().double()
        rest = points - (points @ first)[:, None] * first
        if float((rest - rest[0]).norm(dim=1).max()) > 1e-9 * float(towards.norm()):
            second = [principal_axes(rest)[0][0]]
            text = "and the direction orthogonal to it in which the path varies most"
    axes = completed([first, *second], torch.stack([z_0, z_star]))
    return Plane(
        z_star,
        axes,
        ("z* - z⁰", "orthogonal to z* - z⁰"),
        f"The direction from the start to z*, {text}.",
        variance_shares(path, axes),
    )


def starts_plane(starts: Tensor, path: Tensor | None = None) -> Plane:
    """The plane that holds the starts best: through all of them where they are two or three.

    starts [S, d], S >= 1. Known before a run begins; with four or more starts it is the plane of
    their first two principal components. One or two starts leave directions open.
    """
    axes, shares = principal_axes(starts)
    text = {
        1: "Two arbitrary directions through the run's only start.",
        2: "The line through the run's two starts, and some direction orthogonal to it.",
        3: "The plane through the run's three starts.",
    }.get(
        len(starts),
        f"The plane closest to the run's {len(starts)} starts; it holds {share(sum(shares))} of "
        "their variance.",
    )
    return Plane(
        starts[0],
        axes,
        ("first direction between the starts", "second direction between the starts"),
        text,
        variance_shares(path, axes),
    )


def random_plane(point: Tensor, seed: int = 0, path: Tensor | None = None) -> Plane:
    """The plane of two random directions through `point` [d]."""
    draw = torch.Generator().manual_seed(seed)
    directions = torch.randn(2, len(point), generator=draw, dtype=torch.float64)
    axes = completed(list(directions), point[None])
    return Plane(
        point,
        axes,
        ("first random direction", "second random direction"),
        "Two random directions; in many dimensions they are nearly orthogonal to any path.",
        variance_shares(path, axes),
    )
