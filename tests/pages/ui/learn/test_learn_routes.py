"""G as the browser gets it, and the routes it comes by."""

from __future__ import annotations

import asyncio
import json
import struct

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from torch import nn
from torch.nn import functional

from pages.ui.learn import routes
from pages.ui.learn.generator_file import generator_file, pack
from red_core.data.assets import AssetError
from red_core.models.dcgan import DCGANGenerator


def unpacked(blob: bytes) -> tuple[dict, list[torch.Tensor]]:
    (length,) = struct.unpack_from("<I", blob)
    assert length % 4 == 0
    header = json.loads(blob[4 : 4 + length])
    flat = torch.from_numpy(np.frombuffer(blob, "<f2", offset=4 + length).astype(np.float32))
    return header, list(flat.split(header["sizes"]))


def drawn(blob: bytes, z: torch.Tensor) -> torch.Tensor:
    """G(z) from the file alone, as browser/generator.js computes it."""
    header, (project, shift, up1, bias1, up2, bias2) = unpacked(blob)
    width = header["width"]
    hidden = torch.relu(z @ project.view(-1, header["latent"]).T + shift)
    hidden = hidden.view(-1, 2 * width, 7, 7)
    hidden = functional.conv_transpose2d(hidden, up1.view(2 * width, width, 4, 4), bias1, 2, 1)
    hidden = functional.conv_transpose2d(hidden.relu(), up2.view(width, 1, 4, 4), bias2, 2, 1)
    return hidden.sigmoid()


def toy() -> DCGANGenerator:
    torch.manual_seed(0)
    generator = DCGANGenerator(latent=6, width=4)
    generator(torch.randn(50, 6))  # the normalisations get means of their own
    return generator.eval().requires_grad_(False)


def test_the_file_draws_what_g_draws() -> None:
    generator, z = toy(), torch.randn(5, 6)
    wanted = generator(z)
    assert (drawn(pack(generator), z) - wanted).abs().max() < 2e-3, "half precision"


def test_the_bundled_g_is_packed_small_enough_to_send() -> None:
    blob = generator_file("mnist")
    header, parts = unpacked(blob)
    assert len(blob) < 2_000_000
    assert header["latent"] == 100
    assert all(bool(part.isfinite().all()) for part in parts)


def test_other_layers_are_refused() -> None:
    generator = toy()
    generator.activation = nn.Softplus()
    with pytest.raises(AssetError, match="ReLU"):
        pack(generator)


def answered(address: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that the routes answer a GET with."""
    path, _, query = address.partition("?")
    sent: list[dict] = []
    scope = {
        "type": "http", "method": "GET", "path": path, "root_path": "",
        "headers": [(b"host", b"localhost:8501")], "query_string": query.encode(),
    }  # fmt: skip

    waiting = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    asyncio.run(Starlette(routes=routes.routes())(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:])


def test_the_routes_answer_with_addresses_that_may_be_kept() -> None:
    status, headers, body = answered(routes.generator_address())
    assert status == 200
    assert body == generator_file("mnist")
    assert "immutable" in headers["cache-control"]
    assert answered("/lessons/generator/cifar10")[0] == 404
    status, headers, _ = answered(f"{routes.modules_address()}/lesson.js")
    assert status == 200
    assert int(headers["content-length"]) == (routes.BROWSER / "lesson.js").stat().st_size
    assert "immutable" in headers["cache-control"]
    assert answered("/lessons/other/lesson.js")[0] == 404
