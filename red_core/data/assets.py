"""Bundled files under `assets/<dataset>/`: written once by a recipe, checked at every read.

`manifest.json` holds for each file its SHA-256, the shapes of its tensors, the command, seed
and device that made it, what was measured on it, and its licence. Weights are safetensors,
never pickle.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from red_core.data.atomic import replacing, write_atomically
from red_core.data.folders import check_home, folder_of
from red_core.data.own_datasets import own_dataset

# Without these no run starts; the encoder and the readers belong to the preset `best`.
_ALWAYS = ("classifier", "generator", "dictionary", "examples")
REQUIRED = {
    "mnist": _ALWAYS,
    "fashion": _ALWAYS,
    "cifar10": (*_ALWAYS, "diffusion"),
}
_PACKAGED = Path(__file__).resolve().parents[1] / "assets"  # there in an installed package only
_FOREIGN = {"module", "network", "own"}  # keys of entries whose network is not this repository's
MAX_BYTES = 40_000_000  # history keeps every version, so no file may be large


_chosen: ContextVar[Path | None] = ContextVar("assets", default=None)


class AssetError(RuntimeError):
    """A bundled file is missing, truncated or not the one the manifest names."""


def assets_root() -> Path:
    """The folder that holds the bundled files.

    It is what `assets_at` names for this thread, or RED_ASSETS for the process; in an installed
    package the package's own folder, which holds MNIST's trained files alone; else `assets/` of
    this checkout.
    """
    chosen = _chosen.get() or folder_of("RED_ASSETS")
    if chosen is not None:
        return chosen
    return _PACKAGED if _PACKAGED.is_dir() else Path(__file__).resolve().parents[2] / "assets"


@contextmanager
def assets_at(folder: Path) -> Iterator[None]:
    """Read and write the bundled files of another folder, in this thread alone, in the body."""
    token = _chosen.set(folder.absolute())
    try:
        yield
    finally:
        _chosen.reset(token)


def assets_of(dataset: str) -> Path:
    """The folder of one data set's files: below `assets_root`, or an opened project's."""
    own = own_dataset(dataset)
    return assets_root() / dataset if own is None else own.assets


def read_manifest(dataset: str) -> dict[str, Any]:
    """The manifest of one data set; {} where nothing has been made yet."""
    path = assets_of(dataset) / "manifest.json"
    if not path.exists():
        return {}
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise AssetError(f"{path} is not valid JSON: restore it with git") from error
    except OSError as error:
        raise AssetError(f"{path} cannot be read: {error.strerror or error}") from error
    wrong = _wrong_entry(manifest)
    if wrong is not None:
        raise AssetError(f"{path} is no manifest ({wrong}): restore it with git")
    made: dict[str, Any] = manifest
    return made


def _wrong_entry(manifest: Any) -> str | None:
    """What is wrong with the shape of a manifest; None where it is right."""
    if not isinstance(manifest, dict):
        return "it holds no entries by name"
    for name, entry in manifest.items():
        if not isinstance(entry, dict):
            return f"{name!r} is no entry"
        for key in ("sha256", "command"):
            if not isinstance(entry.get(key), str):
                return f"{name!r} has no {key}"
    return None


def checked_bytes(dataset: str, name: str) -> bytes:
    """One bundled file, after checking its SHA-256 against the manifest; or AssetError."""
    path = assets_of(dataset) / name
    entry = read_manifest(dataset).get(name)
    if own_dataset(dataset) is None and assets_root() == _PACKAGED and not path.exists():
        raise AssetError(
            f"the installed package does not carry {dataset}/{name}: "
            "set RED_ASSETS to the assets folder of a checkout"
        )
    if entry is None:
        raise AssetError(
            f"{path} is not in the manifest: rebuild with `python -m red_core recipe {dataset}`"
        )
    rebuild = f"restore it with git, or rebuild it with `{entry['command']}`"
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise AssetError(f"{path} is missing: {rebuild}") from error
    if hashlib.sha256(blob).hexdigest() != entry["sha256"]:
        raise AssetError(
            f"{path} is damaged or truncated (its SHA-256 is not the manifest's): {rebuild}"
        )
    return blob


def read_tensors(dataset: str, name: str) -> dict[str, Tensor]:
    """The tensors of one bundled file, after checking its SHA-256 against the manifest.

    Raises AssetError, naming the file and the command that rebuilds it, where the file is
    missing, truncated, changed, or no safetensors file.
    """
    if read_manifest(dataset).get(name, {}).keys() & _FOREIGN:
        raise AssetError(f"{assets_root()} is a project with a network of its own: use --project")
    try:
        return load(checked_bytes(dataset, name))
    except SafetensorError as error:
        raise AssetError(
            f"{assets_of(dataset) / name} is no safetensors file: restore it with git"
        ) from error


def read_json(dataset: str, name: str) -> dict[str, Any]:
    """One bundled JSON file, after checking its SHA-256 against the manifest; or AssetError."""
    path = assets_of(dataset) / name
    try:
        content: Any = json.loads(checked_bytes(dataset, name))
    except (ValueError, RecursionError) as error:
        raise AssetError(f"{path} is not valid JSON: restore it with git") from error
    if not isinstance(content, dict):
        raise AssetError(f"{path} holds no values by name: restore it with git")
    return content


def write_tensors(
    dataset: str, name: str, tensors: Mapping[str, Tensor], **provenance: object
) -> None:
    """Write one bundled file and its manifest entry.

    provenance: must hold `command`; customary are seed, device, measured, licence. Raises
    AssetError where the file would exceed MAX_BYTES; a folder of `assets_at` has no such limit.
    """
    folder = assets_of(dataset)
    check_home(folder, "RED_ASSETS")
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / name) as part:
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, part)
        if _chosen.get() is None and part.stat().st_size > MAX_BYTES:
            raise AssetError(
                f"{name} would exceed {MAX_BYTES} bytes: keep fewer or smaller tensors"
            )
    shapes = {key: [str(value.dtype)[6:], *value.shape] for key, value in sorted(tensors.items())}
    record(dataset, name, shapes=shapes, **provenance)


def record(dataset: str, name: str, **provenance: object) -> None:
    """Write the manifest entry of a file in the assets folder."""
    if "command" not in provenance:
        raise ValueError("a manifest entry names the command that rebuilds its file")
    folder = assets_of(dataset)
    manifest = read_manifest(dataset)
    blob = (folder / name).read_bytes()
    entry = {"sha256": hashlib.sha256(blob).hexdigest(), "bytes": len(blob), **provenance}
    manifest[name] = entry
    text = json.dumps(dict(sorted(manifest.items())), indent=1) + "\n"
    write_atomically(folder / "manifest.json", text.encode())


def required_files(dataset: str) -> set[str]:
    """The names of the files without which no run on a data set starts."""
    return {f"{part}.safetensors" for part in REQUIRED.get(dataset, _ALWAYS)}


def is_made(dataset: str) -> bool:
    """Whether the manifest names every file that runs on `dataset` need."""
    try:
        return required_files(dataset) <= set(read_manifest(dataset))
    except AssetError:
        return False
