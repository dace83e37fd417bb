"""Weights from elsewhere to a safetensors file that `project new` reads.

A safetensors file is numbers and names. A pickle, which is what `torch.save` and StyleGAN's own
files are, is a program: reading it can run any code. So torch files are read with
`weights_only=True`, and what needs more is refused unless the caller says `unpickle=True`.
"""

from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from red_core.data.atomic import replacing
from red_core.models.model_file import (
    ARCHITECTURE,
    CLASS_NAME,
    INIT,
    MAX_BYTES,
    ModelFileError,
    check_file,
    read_weights,
)
from red_core.models.own_generator import is_ours

DEFAULT_KEY = "G_ema"  # where StyleGAN's files keep the generator that is used
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch files before 2020 begin so


@dataclass(frozen=True)
class Converted:
    """What was written: how many tensors and numbers, the header, and what was left out."""

    tensors: int
    numbers: int
    metadata: dict[str, str]
    left_out: tuple[str, ...]


def convert(
    source: Path, target: Path, key: str | None = None, unpickle: bool = False
) -> Converted:
    """Write the tensors of `source` to the safetensors file `target`.

    source: a safetensors file; a torch file of tensors, or of dictionaries of them; with
    `unpickle` any pickle. key: which part of a file with several, dots between levels; by default
    G_ema where there is one. unpickle: True runs whatever code the file holds, so only for files
    from people you trust; of a network it keeps the tensors, its class's name and those init
    arguments that are plain values. Raises ModelFileError, with one sentence for the user.
    """
    if target.suffix != ".safetensors":
        raise ModelFileError(f"the output must end in .safetensors, which {target} does not")
    check_file(source)
    if target.exists() and target.samefile(source):
        raise ModelFileError("the output must be another file than the source")
    metadata: dict[str, str] = {}
    if source.suffix == ".safetensors":
        content, metadata = read_weights(source)
        content = _choose(content, key, source) if key is not None else content
    else:
        content = _choose(_read(source, unpickle), key, source)
    arguments: dict[str, Any] = {}
    left_out: list[str] = []
    if isinstance(content, nn.Module):
        metadata[CLASS_NAME] = f"{type(content).__module__}.{type(content).__qualname__}"
        arguments, left_out = _plain(getattr(content, "init_kwargs", None) or {})
        metadata[INIT] = json.dumps(arguments)
        left_out += ["positional init arguments"] if getattr(content, "init_args", None) else []
        content = content.state_dict()
    tensors = _tensors(content, source)
    metadata = {name: value for name, value in metadata.items() if name.startswith("red.")}
    if metadata.get(ARCHITECTURE) not in ("red-style", "foreign"):
        metadata[ARCHITECTURE] = "red-style" if is_ours(tensors) else "foreign"
    with replacing(target) as part:
        save_file(tensors, part, metadata)
    numbers = sum(tensor.numel() for tensor in tensors.values())
    return Converted(len(tensors), numbers, metadata, tuple(left_out))


def _read(source: Path, unpickle: bool) -> Any:
    """What a torch file or a pickle holds; nothing of it is run without `unpickle`."""
    with source.open("rb") as file:
        head = file.read(len(_LEGACY))
    archive = head.startswith(b"PK")
    if archive:
        _check_archive(source)
    try:
        if unpickle and not archive and head != _LEGACY:
            with source.open("rb") as file:
                return pickle.load(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a pickle's protocol: it is refused all the same
            return torch.load(source, map_location="cpu", weights_only=not unpickle)
    except ModuleNotFoundError as error:
        raise ModelFileError(
            f"{source} needs the module {error.name!r}: put the code it was made with on PYTHONPATH"
        ) from error
    except (pickle.UnpicklingError, RuntimeError) as error:
        # torch says "Invalid magic number" of a pickle that is no torch file.
        magic = "magic number" in str(error)
        if unpickle or not (isinstance(error, pickle.UnpicklingError) or magic):
            raise ModelFileError(_damaged(source)) from error
        if head[:1] != b"\x80" and not archive:
            raise ModelFileError(_damaged(source)) from error
        raise ModelFileError(
            f"{source} can only be read by unpickling it, and a pickle can run any code on your "
            "machine: pass --unpickle if you trust where it comes from, or ask there for a "
            "safetensors file"
        ) from error
    except Exception as error:  # unpickled code, or a damaged file, may raise anything
        if unpickle:
            raise ModelFileError(
                f"unpickling {source} failed with {type(error).__name__}: {error}"
            ) from error
        raise ModelFileError(_damaged(source)) from error


def _damaged(source: Path) -> str:
    return f"{source} is damaged, truncated, or no file of weights"


def _check_archive(source: Path) -> None:
    """Refuse a zip file that is broken or grows beyond the limit when read."""
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise ModelFileError(_damaged(source)) from error
    if size > MAX_BYTES:
        raise ModelFileError(f"{source} unpacks to more than {MAX_BYTES // 10**9} GB")


def _choose(content: Any, key: str | None, source: Path) -> Any:
    """The part of a file that `key` names; without a key G_ema, or all of it."""
    if key is None:
        if isinstance(content, Mapping) and DEFAULT_KEY in content:
            return content[DEFAULT_KEY]
        return content
    found = content
    for name in key.split("."):
        if not isinstance(found, Mapping) or name not in found:
            raise ModelFileError(f"{source} has no {key!r}{_offer(found)}")
        found = found[name]
    return found


def _offer(content: Any) -> str:
    """The keys to choose from, as the end of a sentence."""
    names = [str(name) for name in content] if isinstance(content, Mapping) else []
    return f": choose one of {', '.join(names[:10])}" if names else ""


def _tensors(content: Any, source: Path) -> dict[str, Tensor]:
    """A state dict as tensors that share no memory; ModelFileError where it is none."""
    if not isinstance(content, Mapping) or not content:
        raise ModelFileError(f"{source} holds {type(content).__name__}, and no tensors by name")
    strange = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if strange:
        raise ModelFileError(
            f"{source} holds more than tensors: name the part with --key{_offer(content)}"
        )
    if any(not isinstance(name, str) for name in content):
        raise ModelFileError(f"{source} holds tensors without names")
    return {name: value.detach().cpu().contiguous().clone() for name, value in content.items()}


def _plain(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Those arguments that JSON keeps as they are, and the names of the others."""
    kept, left_out = {}, []
    for name, value in arguments.items():
        try:
            same = json.loads(json.dumps(value, allow_nan=False)) == value
        except (TypeError, ValueError):
            same = False
        if same:
            kept[name] = value
        else:
            left_out.append(name)
    return kept, left_out
