"""A network of StyleGAN's shape, small: what a user's own generator looks like from outside."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Mapping(nn.Module):
    def __init__(self, z_dim: int, c_dim: int, w_dim: int, num_ws: int) -> None:
        super().__init__()
        self.num_ws = num_ws
        self.layer = nn.Linear(z_dim + c_dim, w_dim)

    def forward(self, z: Tensor, c: Tensor, truncation_psi: float = 1) -> Tensor:
        w = torch.tanh(self.layer(torch.cat((z, c), dim=1))) * truncation_psi
        return w[:, None].repeat(1, self.num_ws, 1)


class Synthesis(nn.Module):
    def __init__(self, w_dim: int, num_ws: int, resolution: int, channels: int) -> None:
        super().__init__()
        self.shape = (channels, resolution, resolution)
        self.layers = nn.ModuleList(
            nn.Linear(w_dim, channels * resolution**2) for _ in range(num_ws)
        )

    def forward(self, ws: Tensor, noise_mode: str = "random") -> Tensor:
        x = sum(layer(w) for layer, w in zip(self.layers, ws.unbind(1), strict=True))
        if noise_mode == "random":
            x = x + torch.randn_like(x)
        return x.unflatten(1, self.shape)


class Generator(nn.Module):
    """z_dim, c_dim, w_dim, num_ws, mapping and synthesis, as StyleGAN2 to XL have them."""

    def __init__(
        self,
        z_dim: int = 5,
        c_dim: int = 3,
        w_dim: int = 7,
        img_resolution: int = 32,
        img_channels: int = 3,
        num_ws: int = 4,
        activation: object = None,
    ) -> None:
        super().__init__()
        self.init_args = ()
        self.init_kwargs = {
            "z_dim": z_dim,
            "c_dim": c_dim,
            "w_dim": w_dim,
            "img_resolution": img_resolution,
            "img_channels": img_channels,
            "num_ws": num_ws,
        }
        if activation is not None:
            self.init_kwargs["activation"] = activation
        self.z_dim, self.c_dim, self.w_dim, self.num_ws = z_dim, c_dim, w_dim, num_ws
        self.mapping = Mapping(z_dim, c_dim, w_dim, num_ws)
        self.synthesis = Synthesis(w_dim, num_ws, img_resolution, img_channels)


def build_other(**arguments: int) -> object:
    return "not a network"
