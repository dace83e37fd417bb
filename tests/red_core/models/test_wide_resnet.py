"""WRN-depth-width: the published size, what is folded, and what a stored file tells."""

import copy

import pytest
import torch
from torch import nn

from red_core.models.wide_resnet import WideResNet


def settled(depth: int = 16, width: int = 2) -> WideResNet:
    """A network whose normalisations do something."""
    torch.manual_seed(0)
    network = WideResNet(depth, width).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network


def test_parameters_are_the_published_ones() -> None:
    """Zagoruyko & Komodakis 2016, Table 4: 2.7 M (their WRN-16-4), and 5.8 M for WRN-28-4."""
    count = {d: sum(p.numel() for p in WideResNet(d, 4).parameters()) for d in (16, 28)}
    assert round(count[16] / 1e5) / 10 == pytest.approx(2.7, abs=0.051)
    assert round(count[28] / 1e5) / 10 == pytest.approx(5.8, abs=0.051)


def test_a_depth_that_makes_no_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="10, 16, 22, 28"):
        WideResNet(15)


def test_pixels_are_normalised_inside() -> None:
    """The data set's mean colour is zero to the first convolution."""
    network = settled()
    network.stem.register_forward_pre_hook(
        lambda _, inputs: seen.append((inputs[0].mean((0, 2, 3)), inputs[0].std((0, 2, 3))))
    )
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    colours = torch.tensor([0.4914, 0.4822, 0.4465])
    spread = torch.tensor([0.2470, 0.2435, 0.2616])
    network(colours[:, None, None] + spread[:, None, None] * torch.randn(64, 3, 32, 32))
    mean, std = seen[0]
    torch.testing.assert_close(mean, torch.zeros(3), atol=0.02, rtol=0)
    torch.testing.assert_close(std, torch.ones(3), atol=0.02, rtol=0)


def test_folding_keeps_the_logits() -> None:
    network, images = settled(), torch.rand(4, 3, 32, 32)
    folded = copy.deepcopy(network).fold_norms()
    assert len(folded.state_dict()) < len(network.state_dict())
    torch.testing.assert_close(folded(images), network(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("depth", "width"), [(10, 1), (16, 2), (22, 1)])
def test_a_stored_file_tells_the_architecture(depth: int, width: int) -> None:
    network, images = settled(depth, width), torch.rand(2, 3, 32, 32)
    again = WideResNet.from_tensors(network.state_dict()).eval()
    assert torch.equal(again(images), network(images))


def test_features_end_where_the_head_begins() -> None:
    network, images = settled(), torch.rand(3, 3, 32, 32)
    made = network.features(images)
    assert [tuple(f.shape[1:]) for f in made] == [(32, 32, 32), (64, 16, 16), (128, 8, 8)]
    torch.testing.assert_close(network.head(made[-1].mean((2, 3))), network(images))
