"""CIFAR-10's gallery begins with these: photographs of its classes that may be bundled.

Most are cut-outs of Tux Paint's stamps, laid on plain grounds that are drawn here; where it has no
photograph of a class, or few, squares are cut out of GCompris' photographs. Debian packages both.
A photograph may give several pictures, by other grounds, crops and mirrored.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from red_core.data.assets import write_tensors
from red_core.data.datasets import CLASSES, SHAPES, DataMissing
from red_core.data.folders import folder_of
from red_core.recipes.common import RecipeContext
from red_core.run.cifar10_parts import load_psi
from red_core.run.photographs import PHOTOGRAPHS

SIDE = SHAPES["cifar10"][-1]
FINE = 8 * SIDE  # pixels of the canvas on which a cut-out is laid, scaled down at the end
NOISE = 2.5  # deviation of the grounds' grain, of 255


@dataclass(frozen=True)
class Package:
    """Debian's package that pictures are from.

    folder: where it installs its pictures; variable: of the environment, names another such
    folder, whose place beside `share/doc` is the same; licence: of what is taken, as the package's
    copyright file says.
    """

    name: str
    folder: Path
    variable: str
    licence: str
    authors: str

    def where(self) -> Path:
        """The folder of its pictures."""
        return folder_of(self.variable) or self.folder

    def version(self) -> str:
        """As its changelog names it; DataMissing where there is none."""
        path = self._share() / "doc" / self.name / "changelog.Debian.gz"
        try:
            first = gzip.decompress(path.read_bytes()).decode().partition("\n")[0]
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            raise self.missing(path) from error
        found = re.search(r"\((\S+)\)", first)
        if found is None:
            raise self.missing(path)
        return found[1]

    def _share(self) -> Path:
        return self.where().parents[1]

    def missing(self, path: Path) -> DataMissing:
        """That a file of it is not there, and how to get it."""
        return DataMissing(
            f"{path} is not there, or is damaged: install it with `sudo apt-get install "
            f"{self.name}`, or let {self.variable} name the folder of its pictures in the unpacked "
            "package"
        )


STAMPS = Package(
    "tuxpaint-stamps-default",
    Path("/usr/share/tuxpaint/stamps"),
    "RED_TUXPAINT_STAMPS",
    "GPL-2",
    "Bill Kendrick and the contributors that its changelog names",
)
GCOMPRIS = Package(
    "gcompris-qt-data",
    Path("/usr/share/gcompris-qt/rcc"),
    "RED_GCOMPRIS_RCC",
    "GPL-3+; explore_world_animals/resource/animals/moose.webp: public domain (Ryan Hagerty)",
    "the GCompris contributors that its copyright file names",
)
LICENCE = "GPL-2 (tuxpaint-stamps-default), GPL-3+ and public domain (gcompris-qt-data)"


@dataclass(frozen=True)
class Ground:
    """Colours of a sky or wall from top to horizon, and below it; horizon: share of the height."""

    above: tuple[tuple[int, int, int], tuple[int, int, int]]
    below: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
    horizon: float = 1.0


GROUNDS = {
    "sky": Ground(((96, 150, 214), (190, 214, 238))),
    "pale": Ground(((176, 198, 220), (226, 232, 238))),
    "dusk": Ground(((120, 130, 160), (222, 196, 170))),
    "grass": Ground(((150, 190, 226), (206, 222, 232)), ((104, 142, 66), (70, 104, 44)), 0.5),
    "meadow": Ground(((96, 136, 66), (110, 148, 72)), ((118, 152, 70), (84, 116, 50)), 0.2),
    "straw": Ground(((178, 196, 206), (212, 214, 204)), ((176, 156, 100), (142, 120, 74)), 0.45),
    "road": Ground(((164, 190, 214), (208, 216, 222)), ((128, 128, 130), (92, 92, 96)), 0.55),
    "town": Ground(((150, 140, 128), (170, 162, 150)), ((120, 120, 122), (88, 88, 92)), 0.55),
    "water": Ground(((140, 182, 222), (206, 222, 234)), ((70, 112, 150), (40, 78, 118)), 0.6),
    "earth": Ground(((120, 100, 72), (140, 116, 84)), ((134, 110, 78), (104, 84, 58)), 0.2),
    "leaf": Ground(((70, 110, 54), (92, 130, 64)), ((84, 120, 58), (58, 88, 40)), 0.3),
}
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Stamp:
    """A cut-out on a ground.

    file: below the package's folder; ground: key of GROUNDS; box: left, top, right and bottom of
    what is shown of it, as shares; foot: where its lower edge lies, as a share of the height, None
    for the middle.
    """

    label: str
    file: str
    ground: str
    mirror: bool = False
    box: tuple[float, float, float, float] = WHOLE
    foot: float | None = None
    package = STAMPS

    def picture(self, folder: Path, seed: int) -> Image.Image:
        """The picture, SIDE x SIDE; raises DataMissing. seed: of the ground's grain."""
        try:
            cut = Image.open(folder / self.file).convert("RGBA")
        except (OSError, UnidentifiedImageError) as error:
            raise STAMPS.missing(folder / self.file) from error
        cut = _part_of(cut.crop(cut.getchannel("A").getbbox()), self.box)
        if self.mirror:
            cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        scale = 0.94 * FINE / max(cut.size)  # it fills the frame, as CIFAR's objects do
        size = (max(1, round(scale * cut.width)), max(1, round(scale * cut.height)))
        cut = cut.resize(size, Image.Resampling.LANCZOS)
        canvas = drawn_ground(GROUNDS[self.ground], seed)
        top = (FINE - cut.height) // 2
        if self.foot is not None:
            top = round(self.foot * FINE) - cut.height
        canvas.paste(cut, ((FINE - cut.width) // 2, top), cut)
        return canvas.resize((SIDE, SIDE), Image.Resampling.BOX)


@dataclass(frozen=True)
class Square:
    """A square of a photograph.

    file: within the resource file of its activity; centre: as shares of width and height; side: as
    a share of the height.
    """

    label: str
    file: str
    centre: tuple[float, float]
    side: float
    mirror: bool = False
    package = GCOMPRIS

    def picture(self, folder: Path, seed: int) -> Image.Image:
        """The picture, SIDE x SIDE; raises DataMissing."""
        resource = folder / f"{self.file.partition('/')[0]}.rcc"
        try:
            content = read_resource(resource.read_bytes(), self.file)
            image = Image.open(io.BytesIO(content)).convert("RGB")
        except (OSError, KeyError, ValueError, UnidentifiedImageError) as error:
            raise GCOMPRIS.missing(resource) from error
        x, y, half = self.centre[0] * image.width, self.centre[1] * image.height, self.side / 2
        half *= image.height
        cut = image.crop((round(x - half), round(y - half), round(x + half), round(y + half)))
        if self.mirror:
            cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return cut.resize((SIDE, SIDE), Image.Resampling.BOX)


def _part_of(cut: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    sizes = (cut.width, cut.height, cut.width, cut.height)
    left, top, right, bottom = (round(share * size) for share, size in zip(box, sizes, strict=True))
    return cut.crop((left, top, right, bottom))


def drawn_ground(ground: Ground, seed: int) -> Image.Image:
    """A ground, FINE x FINE, with a grain as coarse as the pixels it is scaled down to."""
    height = ((np.arange(FINE) + 0.5) / FINE)[:, None]

    def blend(
        ends: tuple[tuple[int, int, int], tuple[int, int, int]], share: np.ndarray
    ) -> np.ndarray:
        first, last = (np.array(end, dtype=float) for end in ends)
        return first + np.clip(share, 0, 1) * (last - first)

    rows = blend(ground.above, height / ground.horizon)
    if ground.below is not None:
        share = (height - ground.horizon) / (1 - ground.horizon)
        rows = np.where(share > 0, blend(ground.below, share), rows)
    grain = np.random.default_rng(seed).normal(0, NOISE, (SIDE, SIDE)).repeat(FINE // SIDE, 0)
    pixels = rows[:, None] + grain.repeat(FINE // SIDE, 1)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def read_resource(content: bytes, name: str) -> bytes:
    """One file of a compiled Qt resource file (rcc).

    name: its last part or parts, with or without its ending, such as "erase/resource/kitten.webp".
    Raises KeyError where it holds no such file, ValueError where it is no resource file.
    """
    if content[:4] != b"qres":
        raise ValueError("no compiled Qt resource file")
    try:
        version, tree, data, names = struct.unpack(">4I", content[4:20])
        size = 22 if version >= 2 else 14  # later versions add a time to every node
        waiting = [(0, "")]
        while waiting:
            node, path = waiting.pop()
            at = tree + node * size
            named, flags = struct.unpack(">IH", content[at : at + 6])
            if node:
                start = names + named
                (length,) = struct.unpack(">H", content[start : start + 2])
                text = content[start + 6 : start + 6 + 2 * length]
                path = f"{path}/{text.decode('utf-16-be')}"
            if flags & 2:  # a folder
                count, first = struct.unpack(">II", content[at + 6 : at + 14])
                waiting += [(child, path) for child in range(first, first + count)]
            elif path.endswith(f"/{name}"):
                (offset,) = struct.unpack(">I", content[at + 10 : at + 14])
                start = data + offset
                (length,) = struct.unpack(">I", content[start : start + 4])
                found = content[start + 4 : start + 4 + length]
                return zlib.decompress(found[4:]) if flags & 1 else found
    except (struct.error, UnicodeDecodeError, zlib.error) as error:
        raise ValueError("a damaged Qt resource file") from error
    raise KeyError(name)


_PLANES, _CARS = "vehicles/flight/planes/747.png", "vehicles/auto"
_RAPTOR = "military/vehicles/f22_raptor.png"
_BIRDS, _DEER, _DOGS = "animals/birds", "animals/mammals/deer", "animals/mammals/dogs"
_FROGS, _SHIPS = "animals/amphibians", "vehicles/ship"
_HORSE = "animals/mammals/equines/horse.png"
_FIRE, _GARBAGE = "vehicles/emergency/firetruck.png", "vehicles/garbagetruck.png"
_FARM = "explore_farm_animals/resource/animals"
PICTURES: tuple[Stamp | Square, ...] = (
    Stamp("airplane", _RAPTOR, "sky"),
    Stamp("airplane", _PLANES, "sky", mirror=True),
    Stamp("airplane", _PLANES, "pale", box=(0, 0, 0.55, 1)),
    Stamp("airplane", _RAPTOR, "dusk", mirror=True),
    Stamp("airplane", _PLANES, "dusk"),
    Stamp("airplane", _PLANES, "sky", box=(0.45, 0, 1, 1)),
    Stamp("automobile", f"{_CARS}/beetle.png", "road", foot=0.75),
    Stamp("automobile", f"{_CARS}/sportscar2.png", "pale", foot=0.75),
    Stamp("automobile", f"{_CARS}/sedan.png", "road", foot=0.75),
    Stamp("automobile", f"{_CARS}/beetle.png", "grass", True, foot=0.75),
    Stamp("automobile", f"{_CARS}/sportscar2.png", "grass", foot=0.75),
    Stamp("automobile", f"{_CARS}/sedan.png", "pale", foot=0.75),
    Stamp("automobile", f"{_CARS}/beetle.png", "town", foot=0.75),
    Stamp("bird", f"{_BIRDS}/lark.png", "sky"),
    Stamp("bird", f"{_BIRDS}/duck.png", "meadow"),
    Stamp("bird", f"{_BIRDS}/owl.png", "sky"),
    Stamp("bird", f"{_BIRDS}/blackbird.png", "meadow"),
    Stamp("bird", f"{_BIRDS}/pigeon.png", "pale"),
    Stamp("bird", f"{_BIRDS}/rooster.png", "pale"),
    Stamp("bird", f"{_BIRDS}/silver-gull.png", "meadow"),
    Stamp("bird", f"{_BIRDS}/tucan.png", "meadow"),
    Stamp("bird", f"{_BIRDS}/crowned_crane.png", "meadow"),
    Square("cat", "erase/resource/kitten.webp", (0.51, 0.6), 0.8),
    Square("cat", f"{_FARM}/cat.webp", (0.33, 0.33), 0.5),
    Square("cat", "erase/resource/kitten.webp", (0.5, 0.55), 0.6, mirror=True),
    Square("cat", f"{_FARM}/cat.webp", (0.5, 0.45), 0.9),
    Square("cat", f"{_FARM}/cat.webp", (0.35, 0.36), 0.62, mirror=True),
    Square("cat", "erase/resource/kitten.webp", (0.5, 0.5), 1.0, mirror=True),
    Stamp("deer", f"{_DEER}/doe.png", "grass"),
    Stamp("deer", f"{_DEER}/deer.png", "meadow"),
    Stamp("deer", f"{_DEER}/caribou.png", "straw"),
    Stamp("deer", f"{_DEER}/wapiti.png", "grass"),
    Square("deer", "explore_world_animals/resource/animals/moose.webp", (0.48, 0.5), 1.0),
    Stamp("deer", f"{_DEER}/doe.png", "straw", mirror=True),
    Stamp("deer", f"{_DEER}/deer.png", "meadow", box=(0, 0, 1, 0.6)),
    Stamp("dog", f"{_DOGS}/dog.png", "meadow"),
    Square("dog", f"{_FARM}/dog.webp", (0.5, 0.5), 1.0, mirror=True),
    Stamp("dog", f"{_DOGS}/dog.png", "town"),
    Stamp("dog", f"{_DOGS}/dingo.png", "town", mirror=True),
    Stamp("dog", f"{_DOGS}/dog.png", "straw", mirror=True),
    Stamp("frog", f"{_FROGS}/frog.png", "leaf"),
    Stamp("frog", f"{_FROGS}/frog-1.png", "earth", mirror=True),
    Stamp("frog", f"{_FROGS}/frog.png", "water"),
    Stamp("frog", f"{_FROGS}/frog-1.png", "leaf"),
    Stamp("frog", f"{_FROGS}/frog.png", "earth", box=(0.3, 0, 1, 0.8)),
    Stamp("frog", f"{_FROGS}/frog-1.png", "water"),
    Stamp("horse", _HORSE, "grass"),
    Square("horse", f"{_FARM}/horse.webp", (0.78, 0.58), 0.62),
    Stamp("horse", _HORSE, "straw", mirror=True),
    Square("horse", f"{_FARM}/horse.webp", (0.2, 0.55), 0.6, mirror=True),
    Stamp("horse", _HORSE, "sky"),
    Stamp("ship", f"{_SHIPS}/chineseJunk.png", "water", foot=0.95),
    Stamp("ship", f"{_SHIPS}/walnutBoat.png", "water", foot=0.95),
    Stamp("ship", f"{_SHIPS}/chineseJunk.png", "sky", True, foot=0.95),
    Stamp("ship", f"{_SHIPS}/walnutBoat.png", "pale", foot=0.95),
    Stamp("ship", f"{_SHIPS}/chineseJunk.png", "pale", foot=0.95),
    Stamp("truck", _FIRE, "road", foot=0.85),
    Stamp("truck", _GARBAGE, "road", box=(0.4, 0, 1, 1), foot=0.95),
    Stamp("truck", _FIRE, "road", box=(0, 0, 0.6, 1), foot=0.95),
    Stamp("truck", _GARBAGE, "road", foot=0.85),
    Stamp("truck", _FIRE, "pale", mirror=True, foot=0.85),
)  # fmt: skip


@torch.no_grad()
def bundle_photographs(context: RecipeContext) -> None:
    """Make PICTURES and write them: images [N, 3, 32, 32] and labels [N], both uint8.

    Which of all that could be made are listed here was chosen by eye, and so that psi reads them
    rightly. Raises DataMissing where a package is not there.
    """
    begun, names = time.monotonic(), CLASSES["cifar10"]
    chosen = PICTURES[:: len(PICTURES) // 6] if context.tiny else PICTURES
    pixels = [one.picture(one.package.where(), number) for number, one in enumerate(chosen)]
    images = torch.stack([torch.from_numpy(np.array(one)).permute(2, 0, 1) for one in pixels])
    labels = torch.tensor([names.index(one.label) for one in chosen])
    read = load_psi(context.device)(images.to(context.device).float() / 255).argmax(1).cpu()
    write_tensors(
        "cifar10",
        PHOTOGRAPHS,
        {"images": images, "labels": labels.to(torch.uint8)},
        command=context.command("photographs"),
        scale=context.scale,
        seed=context.seed,
        device=context.device,
        hours=round((time.monotonic() - begun) / 3600, 6),
        sources=[
            {
                "package": package.name,
                "version": package.version(),
                "licence": package.licence,
                "authors": package.authors,
            }
            for package in (STAMPS, GCOMPRIS)
        ],
        pictures=[
            {"class": one.label, "package": one.package.name, "file": one.file} for one in chosen
        ],
        measured={
            "pictures": len(chosen),
            "photographs": len({one.file for one in chosen}),
            "psi_reads_rightly": round(float((read == labels).float().mean()), 4),
        },
        licence=LICENCE,
    )
