"""One block's exact minimum: its optimality condition, whatever the guess."""

import pytest
import torch

from red_core.sbsc.block_step import minimise_block


def problem(scale: float = 1.0):
    torch.manual_seed(1)
    spectrum = torch.tensor([0.0, 1e-6, 0.3, 2.0, 150.0], dtype=torch.float64)
    pull = scale * torch.randn(6, 5, dtype=torch.float64)
    threshold = torch.tensor([1e-3, 0.1, 0.5, 1.0, 1.5, 1e3], dtype=torch.float64)
    return pull, spectrum, threshold, 0.01 * threshold


@pytest.mark.parametrize("guess", [0.0, 1.0, 1e6])
@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e4])
def test_the_gradient_vanishes_or_the_block_is_zero(guess: float, scale: float) -> None:
    pull, spectrum, threshold, ridge = problem(scale)
    c, norm = minimise_block(pull, spectrum, threshold, ridge, torch.full_like(threshold, guess))
    torch.testing.assert_close(c.norm(dim=1), norm, rtol=1e-9, atol=0)
    zero = pull.norm(dim=1) <= threshold
    assert float((pull.norm(dim=1) / threshold - 1).abs().min()) > 1e-3  # none at the threshold
    assert (norm == 0).equal(zero)
    gradient = (spectrum + ridge[:, None]) * c - pull + (threshold / norm)[:, None] * c
    sizes = gradient[~zero].norm(dim=1) / pull[~zero].norm(dim=1)
    assert sizes.numel() == 0 or float(sizes.max()) < 1e-9


def test_both_cases_occur() -> None:
    pull, _, threshold, _ = problem()
    assert 0 < int((pull.norm(dim=1) <= threshold).sum()) < len(pull)
