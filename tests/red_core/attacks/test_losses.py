"""The losses that attacks climb: the same direction, and one of them where a network is sure."""

import torch
from torch import Tensor

from red_core.attacks.losses import attack_loss, cross_entropy, log_odds


def direction(loss: Tensor, logits: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    return torch.nn.functional.normalize(gradient)


def test_both_climb_in_the_same_direction() -> None:
    draw = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn(20, 10, generator=draw, dtype=torch.double)).requires_grad_()
    labels = torch.arange(20) % 10
    one = direction(cross_entropy(logits, labels), logits)
    assert torch.allclose(direction(log_odds(logits, labels), logits), one, atol=1e-12)


def test_the_log_odds_are_those_of_the_softmax() -> None:
    logits = torch.tensor([[1.0, 2.0, 0.5], [-1.0, 0.0, 4.0]], dtype=torch.double)
    p = logits.softmax(1)[torch.arange(2), [1, 0]]
    expected = ((1 - p) / p).log()
    assert torch.allclose(log_odds(logits, torch.tensor([1, 0])), expected, atol=1e-12)
    assert torch.allclose(cross_entropy(logits, torch.tensor([1, 0])), -p.log(), atol=1e-12)


def test_where_p_rounds_to_one_the_log_odds_keep_their_gradient() -> None:
    logits = torch.tensor([[200.0, 3.0, 2.0]], requires_grad=True)
    label = torch.tensor([0])
    (vanished,) = torch.autograd.grad(cross_entropy(logits, label).sum(), logits)
    assert float(vanished.abs().max()) == 0
    (kept,) = torch.autograd.grad(log_odds(logits, label).sum(), logits)
    assert torch.allclose(kept, torch.tensor([[-1.0, 0.7311, 0.2689]]), atol=1e-4)


def test_the_attack_loss_is_the_cross_entropy_until_that_is_zero() -> None:
    margins = torch.tensor([-5.0, 0.0, 5.0, 12.0, 40.0, 200.0])
    logits = torch.stack((margins, torch.zeros(6)), dim=1).requires_grad_()
    labels = torch.zeros(6, dtype=torch.long)
    found = attack_loss(logits, labels)
    assert torch.equal(found[:4], cross_entropy(logits, labels)[:4])
    assert torch.equal(found[4:], -margins[4:])
    assert bool((found.diff() < 0).all())  # the surer, the smaller
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    (usual,) = torch.autograd.grad(cross_entropy(logits, labels).sum(), logits)
    assert torch.equal(gradient[:4], usual[:4])
    assert torch.equal(gradient[4:], torch.tensor([[-1.0, 1.0], [-1.0, 1.0]]))
