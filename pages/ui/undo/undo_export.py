"""What can be taken along: link, command, PNG, GIF, NPZ and JSON of a run."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from pages.ui.live.history import GRID, nearest
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from pages.ui.undo.undo_registry import RunContext, takes_official
from pages.ui.widgets import pictures
from red_core.data.archive import DOWNLOADABLE
from red_core.data.datasets import short_name
from red_core.run.report import run_arrays, run_report

OWN_FILE = "red-image.npz"  # the own image as the command wants it
GIF_FRAMES = 60


def command(context: RunContext) -> str:
    """The command line that repeats this run on this machine."""
    settings = context.settings
    line = settings.as_command(OWN_FILE)
    bundled = settings.dataset not in DOWNLOADABLE
    if settings.source == "example" and bundled and takes_official(settings.dataset):
        # There --index would mean the official test set; the page shows the bundled examples.
        line = f"env RED_DATA=none {line}"
    return line


def report(context: RunContext, view: RunView) -> dict[str, Any]:
    """The settings and the verdict, as the command line's --json writes them."""
    settings, bundle = context.settings, context.parts.bundle
    assert view.verdict is not None
    source = {
        "own": "own image",
        "realizable": f"realizable instance of seed {settings.seed}",
        "example": bundle.examples.source,
    }[settings.source]
    image = OWN_FILE if settings.source == "own" else None
    last = view.frames[-1]
    return run_report(
        bundle, settings, context.example, view.verdict, last, view.seconds, source, image
    )


def _even(view: RunView, count: int) -> list[int]:
    """Positions of at most `count` frames, evenly over what was recorded."""
    number = min(count, len(view.frames))
    return [int(place) for place in np.linspace(0, len(view.frames) - 1, number).round()]


def _captioned(
    context: RunContext, runner: Runner, view: RunView, places: list[int]
) -> tuple[Tensor, list[str]]:
    frames = [view.frames[place] for place in places]
    names = context.parts.bundle.class_names
    labels = [short_name(names[label]) for label in runner.labels(frames)]
    captions = [f"{frame.k}: {name}" for frame, name in zip(frames, labels, strict=True)]
    return torch.cat([frame.image for frame in frames]), captions


def grid_png(context: RunContext, runner: Runner, view: RunView) -> bytes:
    """The 5 x 5 grid as the page shows it, light, at twice the size."""
    ks = [frame.k for frame in view.frames]
    places = sorted({nearest(ks, k) for k in view.planned if k <= ks[-1]})
    images, captions = _captioned(context, runner, view, places)
    return pictures.frame_grid(images, captions, slots=GRID, scale=8)


def run_gif(context: RunContext, runner: Runner, view: RunView) -> bytes:
    """The frames of the run as a film."""
    images, captions = _captioned(context, runner, view, _even(view, GIF_FRAMES))
    return pictures.gif(images, captions, ms=80)


def run_npz(context: RunContext, view: RunView) -> bytes:
    """The end of the run and its path.

    Beside `run_arrays`: path_k [K], path_z [K, *latent], path_image [K, H, W] or, in colour,
    [K, 3, H, W], path_block_energy [K, classes, attacks], path_loss, path_gap, path_gradient_norm,
    path_prox_residual [K], and, where the run has them, path_mu and path_proximal_pl [K].
    """
    frames = view.frames
    arrays: dict[str, Any] = dict(run_arrays(context.example, frames[-1]))
    arrays["path_k"] = np.array([frame.k for frame in frames])
    arrays["path_image"] = torch.cat([frame.image for frame in frames]).squeeze(1).numpy()
    for name in ("z", "block_energy", "loss", "gap", "gradient_norm", "prox_residual"):
        arrays[f"path_{name}"] = torch.cat([getattr(frame, name) for frame in frames]).numpy()
    if view.theory is not None:
        arrays["path_mu"] = np.array(view.theory.mu)
        arrays["path_proximal_pl"] = np.array(view.theory.proximal_pl)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def own_npz(context: RunContext) -> bytes:
    """The user's image as the solver got it, [H, W] or [3, H, W], for the command's --image."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, image=context.example.clean[0].squeeze(0).cpu().numpy())
    return buffer.getvalue()


def export(
    context: RunContext, runner: Runner | None, view: RunView | None, query: dict[str, str]
) -> None:
    """Draw the link, the command and the download buttons."""
    st.subheader("Link and export", anchor=False)
    st.caption("This link repeats the run to the same iterates.")
    st.code(f"{st.context.url or ''}?{urlencode({**query, 'run': '1'})}", None, wrap_lines=True)
    st.caption("So does this command.")
    st.code(command(context), "bash", wrap_lines=True)
    if context.settings.source == "own":
        _button("Image for the command", "npz", lambda: own_npz(context), OWN_FILE, True)
    # Not while busy: the page redraws itself then, and a click would ask for what is gone.
    ready = runner is not None and view is not None and view.verdict is not None and not view.busy
    # Said either way: a line that came and went would move the buttons, and for a moment the page
    # would hold each of them twice.
    st.caption("The files hold the run as it ended." if ready else _NOT_YET)
    with st.container(horizontal=True, gap="small"):
        # ready means that neither is None: the lambdas run on a click only.
        _button("PNG", "png", lambda: grid_png(context, runner, view), "red-frames.png", ready)  # type: ignore[arg-type]
        _button("GIF", "gif", lambda: run_gif(context, runner, view), "red-frames.gif", ready)  # type: ignore[arg-type]
        _button("NPZ", "npz", lambda: run_npz(context, view), "red-run.npz", ready)  # type: ignore[arg-type]
        _button("JSON", "json", lambda: _json(context, view), "red-run.json", ready)  # type: ignore[arg-type]


_NOT_YET = "Files can be saved once a run has ended."
_HELP = {
    "Image for the command": "Your image as the solver got it; save it where the command runs.",
    "PNG": "The 5 x 5 frames of the run.",
    "GIF": "The frames of the run as a film.",
    "NPZ": "Images, z, c_a and the whole path as NumPy arrays.",
    "JSON": "The settings and the verdict, as the command line writes them.",
}
_MIME = {"png": "image/png", "gif": "image/gif", "json": "application/json"}


def _json(context: RunContext, view: RunView) -> str:
    return json.dumps(report(context, view), indent=1, allow_nan=False) + "\n"


def _button(label: str, kind: str, make: Any, file: str, ready: bool) -> None:
    st.download_button(
        label,
        make,  # on the click, not at every rerun
        file,
        _MIME.get(kind, "application/octet-stream"),
        key=f"save-{label}",
        help=_HELP[label],
        on_click="ignore",
        disabled=not ready,
    )
