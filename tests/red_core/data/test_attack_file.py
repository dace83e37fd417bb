"""Perturbations in a file: not a bit is lost, and foreign tensors are refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from red_core.data.assets import AssetError
from red_core.data.attack_file import packed, unpacked

KINDS = ("linf", "l1")


def drawn(share: float, seed: int, n: int = 40) -> torch.Tensor:
    """fp16 bits of every kind (NaN, infinite, -0, subnormal), a `share` of them other than 0."""
    draw = torch.Generator().manual_seed(seed)
    bits = torch.randint(-(2**15), 2**15, (3, len(KINDS), 4, n), generator=draw)
    bits[torch.rand(bits.shape, generator=draw) >= share] = 0
    return bits.to(torch.int16).view(torch.float16)


@given(share=st.sampled_from([0, 0.02, 0.3, 0.49, 0.51, 1]), seed=st.integers(0, 1000))
def test_not_a_bit_is_lost(share: float, seed: int) -> None:
    deltas = drawn(share, seed)
    back = unpacked(packed(deltas, KINDS), KINDS)
    assert torch.equal(back.view(torch.int16), deltas.view(torch.int16))


def test_what_is_sparse_takes_less_room() -> None:
    deltas = torch.stack([drawn(1, 0)[:, 0], drawn(0.1, 1)[:, 1]], 1)
    stored = packed(deltas, KINDS)
    assert sorted(stored) == ["l1.counts", "l1.places", "l1.values", "linf", "size"]
    assert stored["l1.places"].dtype == torch.uint16
    assert len(stored["l1.places"]) == int(stored["l1.counts"].sum()) < deltas[:, 1].numel() / 5


def test_places_beyond_16_bits_are_stored_densely() -> None:
    wide = torch.zeros(1, 1, 1, 2**16 + 1, dtype=torch.float16)
    wide[..., -1] = 1
    stored = packed(wide, ["l1"])
    assert sorted(stored) == ["l1", "size"]
    assert torch.equal(unpacked(stored, ["l1"]), wide)


@pytest.mark.parametrize(
    "deltas", [torch.zeros(3, 2, 4, 40), torch.zeros(3, 3, 4, 40).half(), torch.zeros(3, 2).half()]
)
def test_other_types_and_shapes_are_refused(deltas: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="perturbations are fp16"):
        packed(deltas, KINDS)


@pytest.mark.parametrize("lost", ["size", "linf", "l1.counts", "l1.places", "l1.values"])
def test_a_missing_tensor_is_refused(lost: str) -> None:
    stored = packed(torch.stack([drawn(1, 0)[:, 0], drawn(0.1, 1)[:, 1]], 1), KINDS)
    del stored[lost]
    with pytest.raises(AssetError, match="no dictionary of linf, l1"):
        unpacked(stored, KINDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", torch.tensor(39)),
        ("l1.places", torch.full((3,), 500).to(torch.uint16)),
        ("l1.values", torch.zeros(2).half()),
        ("linf", torch.zeros(3, 4, 40)),
        ("linf", torch.zeros(2, 4, 40).half()),
    ],
)
def test_tensors_that_do_not_fit_are_refused(name: str, value: torch.Tensor) -> None:
    stored = packed(torch.stack([drawn(1, 0)[:, 0], drawn(0.1, 1)[:, 1]], 1), KINDS)
    with pytest.raises(AssetError, match="no dictionary of"):
        unpacked({**stored, name: value}, KINDS)
