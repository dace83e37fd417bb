"""The two import shims: they repair what is broken and leave alone what is not."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from red_core import compat

ROOT = Path(__file__).resolve().parents[2]


def run(code: str, *paths: Path) -> str:
    """The output of `code` in a fresh interpreter that looks in `paths` first."""
    before = f"import sys; sys.path[:0] = {[str(p) for p in (*paths, ROOT)]!r}\n"
    finished = subprocess.run(
        [sys.executable, "-c", before + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_torchvision_and_advertorch_import_here() -> None:
    compat.ensure_torchvision()
    compat.ensure_torchvision()
    compat.ensure_advertorch()
    compat.ensure_advertorch()
    from advertorch.attacks import iterative_projected_gradient
    from torchvision import datasets, transforms, utils

    assert datasets.MNIST
    assert transforms.ToTensor
    assert utils.make_grid
    assert iterative_projected_gradient.perturb_iterative


def fake_torchvision(folder: Path, body: str) -> Path:
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(textwrap.dedent(body))
    return folder


# What torchvision's _meta_registrations does at import, and fails at without its operators.
BROKEN = """
    import torch
    from . import part
    torch.library.register_fake("torchvision::nms")(lambda dets, scores, threshold: None)
    torch.library.register_fake("torchvision::qnms")(lambda dets, scores, threshold: None)
    """


def test_a_torchvision_without_its_operators_is_helped(tmp_path: Path) -> None:
    fake_torchvision(tmp_path, BROKEN)
    (tmp_path / "torchvision" / "part.py").write_text("")
    with pytest.raises(AssertionError, match="nms"):
        run("import torchvision", tmp_path)
    code = """
        from red_core.compat import ensure_torchvision
        ensure_torchvision()
        import torch, torchvision
        ensure_torchvision()
        print(torch.ops.torchvision.nms.default._schema)
        """
    assert "Tensor dets, Tensor scores, float iou_threshold" in run(code, tmp_path)


def test_a_torchvision_that_loads_is_left_alone(tmp_path: Path) -> None:
    fake_torchvision(tmp_path, "")
    code = """
        from red_core import compat
        compat.ensure_torchvision()
        import torch, torchvision
        print(compat._library is None, hasattr(torch.ops.torchvision, "nms"))
        """
    assert run(code, tmp_path).split() == ["True", "False"]


def test_an_error_of_another_kind_comes_through(tmp_path: Path) -> None:
    fake_torchvision(tmp_path, "import a_module_that_is_not_there")
    code = """
        from red_core.compat import ensure_torchvision
        try:
            ensure_torchvision()
        except ModuleNotFoundError as error:
            print(error.name)
        """
    assert run(code, tmp_path).strip() == "a_module_that_is_not_there"


def gradcheck_module() -> object:
    compat.ensure_advertorch()
    return sys.modules["torch.autograd.gradcheck"]


def test_zero_gradients_is_put_back_on_the_module_only() -> None:
    assert hasattr(gradcheck_module(), "zero_gradients")
    assert callable(torch.autograd.gradcheck)  # still the function of that name


def test_zero_gradients_of_an_older_torch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    module, theirs = gradcheck_module(), object()
    monkeypatch.setattr(module, "zero_gradients", theirs)
    compat.ensure_advertorch()
    assert sys.modules["torch.autograd.gradcheck"].zero_gradients is theirs


def test_zero_gradients_zeroes_in_place() -> None:
    x = torch.ones(3, requires_grad=True)
    compat._zero_gradients(x)
    assert x.grad is None
    x.square().sum().backward()
    grad = x.grad
    compat._zero_gradients(x)
    assert x.grad is grad
    assert not bool(grad.any())
