"""docs/others.md with the tools themselves, where they are installed; ONNX likewise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from red_core.models.model_file import read_network

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/others.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python ?(\w*)\n(.*?)```", PAGE, re.S)


def code(tool: str) -> str:
    """The code of the page that needs no tool, and then that of one."""
    return "\n".join(text for name, text in BLOCKS if name in ("", tool))


def test_the_page_has_code_for_every_tool() -> None:
    assert {name for name, _ in BLOCKS} == {"", "foolbox", "art", "torchattacks"}
    for name, text in BLOCKS:
        compile(text, name or "plain", "exec")


def test_arrays_of_any_tool_are_undone(capsys: pytest.CaptureFixture[str]) -> None:
    shared: dict[str, Any] = {}
    exec(code(""), shared)
    assert "'linf'" in capsys.readouterr().out


def test_foolbox(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("foolbox")
    shared: dict[str, Any] = {}
    exec(code("foolbox"), shared)
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert shared["success"].any()  # its cross-entropy stalls where psi is very sure
    assert shared["fooled"].any()
    assert float((shared["ours"] - shared["images"]).abs().max()) <= 0.3 + 1e-6
    right = shared["defended"](shared["clipped"]).argmax(1) == shared["labels"]
    assert right.any()


def test_art(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("art")
    shared: dict[str, Any] = {}
    exec(code("art"), shared)
    assert shared["x_art"].shape == (2, 1, 28, 28)
    assert shared["guarded"].predict(shared["x_art"]).shape == (2, 10)
    # At prediction the preprocessor stands before psi: what psi sees is G(z).
    seen = shared["UndoPreprocessor"]()(shared["x_art"])[0]
    wanted = shared["parts"].psi(torch.from_numpy(seen)).detach()
    assert torch.allclose(
        torch.from_numpy(shared["guarded"].predict(shared["x_art"])), wanted, atol=1e-3
    )
    assert capsys.readouterr().out.splitlines()[-1].startswith("0.3")


def test_torchattacks(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torchattacks")
    shared: dict[str, Any] = {}
    exec(code("torchattacks"), shared)
    assert shared["x_torch"].shape == shared["images"].shape
    assert capsys.readouterr().out.splitlines()[-1].endswith("('linf', 'linf'))")


def test_an_onnx_classifier_is_read_with_its_gradients(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnx2torch")
    numpy_helper, helper = onnx.numpy_helper, onnx.helper
    torch.manual_seed(0)
    weight, bias = torch.randn(10, 784), torch.randn(10)
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "w", "b"], ["y"], transB=1),
    ]
    values = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", 1, 28, 28]), ("y", ["n", 10]))
    ]
    kept = [numpy_helper.from_array(t.numpy(), n) for t, n in ((weight, "w"), (bias, "b"))]
    graph = helper.make_graph(nodes, "psi", values[:1], values[1:], kept)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    path = tmp_path / "net.onnx"
    onnx.save(made, str(path))
    network = read_network(path)
    images = torch.rand(3, 1, 28, 28, requires_grad=True)
    assert torch.allclose(
        network(images), nn.functional.linear(images.flatten(1), weight, bias), atol=1e-4
    )
    assert torch.autograd.grad(network(images)[:, 0].sum(), images)[0].any()
