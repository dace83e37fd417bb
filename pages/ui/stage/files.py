"""The files of a run: pictures, a film, arrays, JSON, the record, and a page that replays it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pages.ui.live.history import nearest
from pages.ui.live.live_run import LiveRun
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from pages.ui.look import theme
from pages.ui.widgets import pictures
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import read_manifest
from red_core.data.datasets import DATASETS, short_name
from red_core.recording.slice_plane import has_latent
from red_core.run.report import run_arrays, run_report
from red_core.run.settings import RunSettings

BROWSER = Path(__file__).parent / "browser"
DIGEST = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(BROWSER.iterdir()))
).hexdigest()[:12]
OWN_FILE = "red-image.npz"  # the own image as the command wants it
FILM_FRAMES = 60
_SCALE = {28: 6, 32: 5}  # of the film, so that it is at least 640 pixels wide
_GAP = 4  # pixels between the pictures of the equation, before they are enlarged


class NotYetError(Exception):
    """A file that there is only once the run has ended; the message is for the user."""


def make(run: LiveRun, kind: str) -> bytes:
    """The file of a kind in KINDS. Raises NotYetError before the run has ended."""
    runner = run.runner
    view = None if runner is None else runner.view()
    if kind != "red" and (runner is None or view is None or view.verdict is None):
        raise NotYetError("Files can be saved once a run has ended.")
    if kind in ("red", "html"):
        return run.file() if kind == "red" else replay_page(run.file(), file_stem(run.settings))
    assert runner is not None
    assert view is not None
    return _MAKERS[kind](runner, view)


def file_stem(settings: RunSettings) -> str:
    """A file's name without its ending: data set, image, attack and preset."""
    image = {
        "example": f"image{settings.index}",
        "photograph": f"photograph{settings.index}",
        "own": "own",
        "realizable": "realizable",
    }
    parts = (settings.dataset, image[settings.source], settings.attack, settings.preset)
    return "red-" + "-".join(parts)


def file_name(settings: RunSettings, kind: str) -> str:
    """The name under which a file is saved."""
    return f"{file_stem(settings)}.{kind}"


def report(runner: Runner, view: RunView) -> dict[str, Any]:
    """The settings and the verdict, as the command line's --json writes them."""
    settings, bundle = runner.settings, runner.parts.bundle
    assert view.verdict is not None
    source = {
        "own": "own image",
        "realizable": f"realizable instance of seed {settings.seed}",
        "example": bundle.examples.source,
        "photograph": bundle.examples.source,
    }[settings.source]
    image = OWN_FILE if settings.source == "own" else None
    last = view.frames[-1]
    return run_report(
        bundle, settings, runner.example, view.verdict, last, view.seconds, source, image
    )


def frames_png(runner: Runner, view: RunView) -> bytes:
    """Figure 4: the 5 x 5 grid of G(z^k), evenly over the run, light."""
    ks = [frame.k for frame in view.frames]
    places = sorted({nearest(ks, k) for k in view.planned if k <= ks[-1]})
    frames = [view.frames[place] for place in places]
    images = torch.cat([frame.image for frame in frames])
    return pictures.frame_grid(images, _captions(runner, view, places), slots=25, scale=8)


def film(runner: Runner, view: RunView) -> bytes:
    """x' = G(z) + D_a c_a + rest, step by step, as a GIF."""
    number = min(FILM_FRAMES, len(view.frames))
    places = [int(place) for place in np.linspace(0, len(view.frames) - 1, number).round()]
    width = view.frames[0].image.shape[-1]
    scale = _SCALE.get(width, max(1, round(640 / (4 * width))))
    images = torch.stack([_equation(runner, view, place) for place in places])
    signal = "G(z)" if has_latent(runner.settings) else "D(x')"
    terms = f"x' = {signal} + D_a c_a + rest"
    captions = [f"{terms}   {text}" for text in _captions(runner, view, places)]
    return pictures.gif(images, captions, ms=80, scale=scale)


def _captions(runner: Runner, view: RunView, places: list[int]) -> list[str]:
    frames = [view.frames[place] for place in places]
    names = runner.parts.bundle.class_names
    labels = runner.labels(frames)
    return [
        f"{frame.k}: {short_name(names[label])}"
        for frame, label in zip(frames, labels, strict=True)
    ]


def _equation(runner: Runner, view: RunView, place: int) -> Tensor:
    """x', G(z), D_a c_a and the rest of a frame beside each other, [3, H, 4 W + gaps]."""
    frame = view.frames[place]
    observed = runner.example.attacked[0].cpu()
    explained = observed - frame.image[0] - frame.residual[0]
    limit = max(float(explained.abs().max()), float(frame.residual.abs().max()), 1e-6)
    table = torch.from_numpy(theme.diverging_table()).float() / 255
    gap = torch.ones(3, observed.shape[1], _GAP)

    def plain(image: Tensor) -> Tensor:
        return image.clamp(0, 1).expand(3, -1, -1)

    def signed(values: Tensor) -> Tensor:
        if len(values) == 3:
            return (0.5 + values / (2 * limit)).clamp(0, 1)
        index = ((values[0] / limit + 1) / 2 * (len(table) - 1)).round().long()
        return table[index.clamp(0, len(table) - 1)].permute(2, 0, 1)

    parts = (plain(observed), plain(frame.image[0]), signed(explained), signed(frame.residual[0]))
    return torch.cat([piece for part in parts for piece in (part, gap)][:-1], dim=2)


def arrays(runner: Runner, view: RunView) -> bytes:
    """The end of the run and its path, as NPZ.

    Beside `run_arrays`: settings (the JSON of `report`); path_k [K], path_z [K, *latent],
    path_image [K, H, W] or, in colour, [K, 3, H, W], path_block_energy [K, classes, attacks],
    path_loss, path_gap, path_gradient_norm, path_prox_residual [K], and, where the run has them,
    path_mu and path_proximal_pl [K].
    """
    frames = view.frames
    kept: dict[str, Any] = dict(run_arrays(runner.example, frames[-1]))
    kept["settings"] = np.array(json.dumps(report(runner, view), allow_nan=False))
    kept["path_k"] = np.array([frame.k for frame in frames])
    kept["path_image"] = torch.cat([frame.image for frame in frames]).squeeze(1).numpy()
    for name in ("z", "block_energy", "loss", "gap", "gradient_norm", "prox_residual"):
        kept[f"path_{name}"] = torch.cat([getattr(frame, name) for frame in frames]).numpy()
    if view.theory is not None:
        kept["path_mu"] = np.array(view.theory.mu)
        kept["path_proximal_pl"] = np.array(view.theory.proximal_pl)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)
    return buffer.getvalue()


def _json(runner: Runner, view: RunView) -> bytes:
    return (json.dumps(report(runner, view), indent=1, allow_nan=False) + "\n").encode()


@dataclass(frozen=True)
class Kind:
    """A file that a run can be saved as: its button, what it holds, its media type."""

    label: str
    help: str
    mime: str


KINDS = {
    "html": Kind("HTML", "A page that replays this run anywhere, without a server", "text/html"),
    "gif": Kind("GIF", "The equation step by step, as a film", "image/gif"),
    "png": Kind("PNG", "The frames of the recovered signal", "image/png"),
    "npz": Kind("NPZ", "Images, z, c_a and the whole path as arrays", "application/octet-stream"),
    "json": Kind("JSON", "Settings and verdict, as the command writes them", "application/json"),
    "red": Kind("Record", "The recorded run; this page opens it again", "application/octet-stream"),
}
_MAKERS: dict[str, Callable[[Runner, RunView], bytes]] = {
    "png": frames_png,
    "gif": film,
    "npz": arrays,
    "json": _json,
}


# --- the page that replays a run ---------------------------------------------------------------


def palettes() -> dict[str, Any]:
    """The colours of the stage by their meaning, light and dark."""
    return {
        name: {**asdict(theme.palette(dark)), "diverging": theme.diverging_table(dark).tolist()}
        for name, dark in (("light", False), ("dark", True))
    }


_IMPORT = re.compile(r'from "\./(\w+\.js)"')


def replay_page(record: bytes, title: str) -> bytes:
    """One HTML file without any address in it: the stage's modules, its colours and a record."""
    options = json.dumps({"palettes": palettes(), "controls": "replay"})
    return standalone_page(
        title,
        {"stage": BROWSER},
        """body { margin: 0; padding: 8px; }
.stage { --stage-height: calc(100dvh - 16px); }""",
        f"""<div class="stage"></div>
{embedded("record", record)}""",
        f"""import {{ mount }} from "stage/main.js"
mount(document.querySelector(".stage"), {{ ...{options}, record: embedded("record") }})""",
    )


def standalone_page(
    title: str, folders: Mapping[str, Path], style: str, body: str, script: str
) -> bytes:
    """One HTML file that needs no other: the modules and styles of folders, and a script.

    folders: by the name under which the script imports their modules, "NAME/file.js"; style: more
    CSS; body: HTML; script: a module, in which `embedded(id)` gives the bytes of `embedded` here.
    """
    modules = {
        f"{name}/{path.name}": "data:text/javascript;base64,"
        + base64.b64encode(
            _IMPORT.sub(rf'from "{name}/\1"', path.read_text(encoding="utf-8")).encode()
        ).decode()
        for name, folder in folders.items()
        for path in sorted(folder.glob("*.js"))
    }
    styles = [
        path.read_text(encoding="utf-8")
        for folder in folders.values()
        for path in sorted(folder.glob("*.css"))
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{"".join(styles)}
:root {{ color-scheme: light dark; }}
body {{ font-family: "Source Sans 3", "Source Sans Pro", sans-serif; }}
{style}
</style>
<script type="importmap">{json.dumps({"imports": modules})}</script></head>
<body>{body}
<script type="module">
const embedded = (id) =>
  Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0))
{script}
</script></body></html>
""".encode()


def embedded(identity: str, content: bytes) -> str:
    """The element that holds bytes in a `standalone_page`."""
    text = base64.b64encode(content).decode()
    return f'<script type="text/plain" id="{escape(identity)}">{text}</script>'


# --- recorded runs that ship -------------------------------------------------------------------


LESSONS = "mnist"  # the data set of the page Learn


def stories() -> list[dict[str, str]]:
    """The recorded runs that the main page offers: dataset, file name, its SHA-256 and a title."""
    names = [f"story-{attack}.red" for attack in ATTACKS]
    return [found for dataset in DATASETS for found in _recorded(dataset, names)]


def lessons() -> list[dict[str, str]]:
    """The recorded runs of the page Learn, as `stories` lists them."""
    names = sorted(name for name in read_manifest(LESSONS) if name.startswith("lesson-"))
    return _recorded(LESSONS, names)


def _recorded(dataset: str, names: Sequence[str]) -> list[dict[str, str]]:
    entries = read_manifest(dataset)
    return [
        {
            "dataset": dataset,
            "name": name,
            "sha256": entries[name]["sha256"],
            "title": entries[name]["title"],
        }
        for name in names
        if name in entries
    ]
