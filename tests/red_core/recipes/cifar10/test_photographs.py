"""How photographs are made: cut-outs on grounds, squares out of a Qt resource file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from red_core.cli import main
from red_core.recipes.cifar10.photographs import (
    FINE,
    GROUNDS,
    PICTURES,
    SIDE,
    STAMPS,
    Square,
    Stamp,
    drawn_ground,
    read_resource,
)


def resource(files: dict[str, bytes]) -> bytes:
    """A compiled Qt resource file of version 1 with one folder, "pictures"."""
    names, places = b"", []
    for name in ("pictures", *files):
        places.append(len(names))
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    data, offsets = b"", []
    for content in files.values():
        offsets.append(len(data))
        data += struct.pack(">I", len(content)) + content
    tree = struct.pack(">IHII", 0, 2, 1, 1)
    tree += struct.pack(">IHII", places[0], 2, len(files), 2)
    for place, offset in zip(places[1:], offsets, strict=True):
        tree += struct.pack(">IHHHI", place, 0, 0, 0, offset)
    start = 20
    head = struct.pack(">4s4I", b"qres", 1, start, start + len(tree), start + len(tree) + len(data))
    return head + tree + data + names


def test_a_file_is_read_out_of_a_resource_file() -> None:
    made = resource({"cat.ogg": b"sound", "cat.webp": b"picture"})
    assert read_resource(made, "pictures/cat.webp") == b"picture"
    assert read_resource(made, "cat.ogg") == b"sound"
    with pytest.raises(KeyError):
        read_resource(made, "dog.webp")
    for damaged in (b"", b"picture", made[:30]):
        with pytest.raises(ValueError, match="Qt resource file"):
            read_resource(damaged, "cat.webp")


def test_a_cut_out_fills_the_frame_and_its_ground_shows_around_it(tmp_path: Path) -> None:
    cut = np.zeros((60, 100, 4), np.uint8)
    cut[20:40, 10:90] = (250, 0, 0, 255)  # red, with a transparent margin
    Image.fromarray(cut).save(tmp_path / "car.png")
    picture = np.asarray(Stamp("automobile", "car.png", "sky").picture(tmp_path, 0)).astype(int)
    assert picture.shape == (SIDE, SIDE, 3)
    red = (picture[..., 0] > 200) & (picture[..., 2] < 50)
    assert red.any(0).sum() >= 29  # of 32 columns
    assert 6 <= red.any(1).sum() <= 9
    assert (picture[:4, :, 2] > picture[:4, :, 0]).all()  # sky above it
    low = np.asarray(Stamp("automobile", "car.png", "sky", foot=1.0).picture(tmp_path, 0))
    assert (low[-3, 8:24, 0] > 200).all()


def test_a_mirrored_square_is_the_other_way_round(tmp_path: Path) -> None:
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, :64] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    content = (tmp_path / "half.png").read_bytes()
    (tmp_path / "pictures.rcc").write_bytes(resource({"half.png": content}))
    one = Square("cat", "pictures/half.png", (0.5, 0.5), 1.0)
    plain = np.asarray(one.picture(tmp_path, 0))
    assert (plain[:, 0] == 255).all()
    assert (plain[:, -1] == 0).all()
    other = Square("cat", "pictures/half.png", (0.5, 0.5), 1.0, mirror=True)
    np.testing.assert_array_equal(np.asarray(other.picture(tmp_path, 0)), plain[:, ::-1])


def test_a_ground_has_its_horizon_and_the_same_grain_every_time() -> None:
    made = np.asarray(drawn_ground(GROUNDS["grass"], 3)).astype(int)
    assert made.shape == (FINE, FINE, 3)
    np.testing.assert_array_equal(made, np.asarray(drawn_ground(GROUNDS["grass"], 3)))
    top, bottom = made[: FINE // 2 - 8].mean((0, 1)), made[FINE // 2 + 8 :].mean((0, 1))
    assert top[2] > top[1]  # sky is blue
    assert bottom[1] > max(bottom[0], bottom[2])  # grass is green


def test_a_missing_package_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(STAMPS.variable, str(tmp_path))
    words = ["recipe", "cifar10", "--only", "photographs", "--scale", "tiny", "--device", "cpu"]
    assert main([*words, "--work", str(tmp_path / "work")]) == 2
    said = capsys.readouterr().err
    assert "apt-get install tuxpaint-stamps-default" in said
    assert STAMPS.variable in said
    assert said.count("\n") == 1


def test_a_version_is_read_off_the_packages_changelog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gzip

    folder = tmp_path / "share" / "tuxpaint" / "stamps"
    notes = tmp_path / "share" / "doc" / STAMPS.name
    for each in (folder, notes):
        each.mkdir(parents=True)
    (notes / "changelog.Debian.gz").write_bytes(gzip.compress(b"tuxpaint (1.2-3) unstable\n"))
    monkeypatch.setenv(STAMPS.variable, str(folder))
    assert STAMPS.version() == "1.2-3"


def test_no_picture_is_listed_twice() -> None:
    assert len(set(PICTURES)) == len(PICTURES)
