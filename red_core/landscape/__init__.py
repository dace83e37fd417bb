"""Landscapes of the loss: planes in the latent space, surfaces, basins and stationary points.

Everything is importable from here. Where to cut: `plane`, `principal`, `planes`,
`curvature_plane`, and `plane_preview` for a plane before the path is known. Heights over nested
grids: `surface`; for a real problem `trajectory` (the path of a run), `images` (every c_a from one
evaluation of G) and `refit`.
What the landscape of a synthetic instance (`inversion`) holds: `stationary` points, exact through
`sectors` and `corners` or searched for by `newton`, with their `prominence` and `kappa`; `basins`.
"""

from red_core.landscape.basins import DIVERGED, MOVING, Basins, Flow, safe_eta
from red_core.landscape.curvature_plane import hessian_plane
from red_core.landscape.images import ImageSheet, held_target, image_loss
from red_core.landscape.inversion_loss import Inversion
from red_core.landscape.kappa import kappa, predicted_spurious
from red_core.landscape.plane import Plane
from red_core.landscape.plane_preview import planes_ahead, preview_paths, preview_plane
from red_core.landscape.planes import (
    coordinate_plane,
    difference_plane,
    pca_plane,
    random_plane,
    starts_plane,
)
from red_core.landscape.points import Stationary, StationaryPoint
from red_core.landscape.principal import principal_axes, random_walk_shares, variance_shares
from red_core.landscape.refit import refitted_height
from red_core.landscape.sectors import Sectors, find_sectors
from red_core.landscape.stationary import stationary_points
from red_core.landscape.surface import SIZES, Bounds, Sheet, Surface, path_bounds, refine
from red_core.landscape.trajectory import Trajectory, plane_of, trajectory_of

__all__ = [
    "DIVERGED",
    "MOVING",
    "SIZES",
    "Basins",
    "Bounds",
    "Flow",
    "ImageSheet",
    "Inversion",
    "Plane",
    "Sectors",
    "Sheet",
    "Stationary",
    "StationaryPoint",
    "Surface",
    "Trajectory",
    "coordinate_plane",
    "difference_plane",
    "find_sectors",
    "held_target",
    "hessian_plane",
    "image_loss",
    "kappa",
    "path_bounds",
    "pca_plane",
    "plane_of",
    "planes_ahead",
    "predicted_spurious",
    "preview_paths",
    "preview_plane",
    "principal_axes",
    "random_plane",
    "random_walk_shares",
    "refine",
    "refitted_height",
    "safe_eta",
    "starts_plane",
    "stationary_points",
    "trajectory_of",
    "variance_shares",
]
