"""Arrays of CIFAR-10's shape; `test_intake` has those of the grey data sets."""

import re

import numpy as np
import pytest
import torch

from red_core.data.arrays import read_npz
from tests.red_core.data.test_intake import claimed, npy, npz, refusal


def colours(value: float = 0.5) -> np.ndarray:
    array = np.full((3, 32, 32), 0.5)
    array[2, 3, 4] = value
    return array


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("last", [False, True], ids=["3 x 32 x 32", "32 x 32 x 3"])
def test_an_array_is_taken_as_it_is(last: bool, dtype: type, batched: bool) -> None:
    planes = np.random.default_rng(1).random((3, 32, 32)).astype(dtype)
    array = planes.transpose(1, 2, 0) if last else planes
    array = array[None] if batched else array
    files = (npz(image=array, other=np.zeros(9)), npy(array), npy(np.asfortranarray(array)))
    for data in files:
        taken = read_npz(data, dataset="cifar10")
        assert taken.image.dtype == torch.float32
        assert taken.image.is_contiguous()
        assert torch.equal(taken.image, torch.from_numpy(planes.astype(np.float32)))
        assert taken.steps == ("taken as it is: neither cropped nor scaled",)


def test_a_batch_of_one_grey_image_is_taken_too() -> None:
    array = np.random.default_rng(1).random((1, 1, 28, 28)).astype(np.float32)
    assert torch.equal(read_npz(npy(array)).image, torch.from_numpy(array[0]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy(colours(np.nan)), "NaN or infinite"),
        (npy(colours(1.01)), "from 0.5 to 1.01, outside"),
        (npy(colours(200.0)), "divide by 255 first"),
        (
            npy(np.zeros((28, 28))),
            r"or 32 x 32 x 3, or N of them, not \(28, 28\)",
        ),
        (npy(np.zeros((32, 32))), r"not \(32, 32\)"),
        (npy(np.random.default_rng(0).random((2, 3, 32, 32))), "holds 2 images"),
        (npy(np.zeros((32, 3, 32))), r"not \(32, 3, 32\)"),
        (npy(np.zeros(3072)), r"not \(3072,\)"),
        (npy(np.full((3, 32, 32), None, dtype=object)), "real numbers"),
        (npy(colours())[:-1], "damaged or incomplete"),
        (claimed("(3, 32, 32)"), "damaged or incomplete"),
        (npz(image=np.zeros((2000, 2000))), r"not \(2000, 2000\)"),
    ],
    ids=range(12),
)
def test_a_bad_array_is_refused(data: bytes, message: str) -> None:
    said = refusal(lambda: read_npz(data, filename="x.npz", dataset="cifar10"))
    assert re.search(message, said)


def test_an_array_of_colours_is_no_digit() -> None:
    assert "28 x 28 or 1 x 28 x 28" in refusal(lambda: read_npz(npy(colours())))
