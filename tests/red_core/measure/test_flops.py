"""The operation counter against operations counted by hand."""

import torch
from torch import nn

from red_core.measure.flops import OperationCounter


def test_a_matrix_product() -> None:
    with OperationCounter() as counter:
        torch.ones(3, 5) @ torch.ones(5, 7)
    assert counter.total == 2 * 3 * 5 * 7


def test_a_convolution_and_its_gradient() -> None:
    layer = nn.Conv2d(2, 4, 3, bias=False).requires_grad_(False)
    images = torch.ones(6, 2, 10, 10, requires_grad=True)
    once = 2 * 6 * 4 * 8 * 8 * 2 * 3 * 3
    with OperationCounter() as counter:
        layer(images).sum().backward()
    assert counter.total == 2 * once  # forward, and the gradient of the images alone


def test_repeated_gradients_from_one_graph() -> None:
    layer = nn.Linear(4, 5, bias=False).requires_grad_(False)
    z = torch.ones(3, 4, requires_grad=True)
    with OperationCounter() as counter:
        out = layer(z)
        for _ in range(2):
            torch.autograd.grad(out, z, torch.ones_like(out), retain_graph=True)
    assert counter.total == 3 * 2 * 3 * 4 * 5


def test_nothing_outside_is_counted() -> None:
    counter = OperationCounter()
    with counter:
        pass
    torch.ones(2, 2) @ torch.ones(2, 2)
    assert counter.total == 0
