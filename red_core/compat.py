"""Two import shims, each skipped where it is not needed.

- torchvision's CUDA wheel beside a CPU torch cannot load its compiled operators, and its
  import fails when it registers fake kernels for `nms` and `qnms`. Declaring the two schemas
  first lets data sets, transforms and utils work; we use no detection operator.
- advertorch 0.2.3 does `from torch.autograd.gradcheck import zero_gradients`, a name torch
  removed in 1.9. We put it back on the module (the attribute `torch.autograd.gradcheck` is
  the function of the same name, so the module is taken from `sys.modules`).
"""

from __future__ import annotations

import importlib
import sys

import torch
from torch import Tensor

_NMS_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library: torch.library.Library | None = None  # kept alive: the schemas go when it is collected


def _has_operator(name: str) -> bool:
    try:
        getattr(torch.ops.torchvision, name)
    except (AttributeError, RuntimeError):
        return False
    return True


def ensure_torchvision() -> None:
    """Make `import torchvision` work beside a torch build its operators do not fit."""
    global _library
    if "torchvision" in sys.modules or _library is not None:
        return
    try:
        importlib.import_module("torchvision")
    except (RuntimeError, OSError):
        for name in [m for m in sys.modules if m.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _library = torch.library.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            if not _has_operator(operator):
                _library.define(operator + _NMS_SCHEMA)
        importlib.import_module("torchvision")


def _zero_gradients(x: Tensor) -> None:
    """What torch < 1.9 offered: zero a tensor's gradient in place."""
    if x.grad is not None:
        x.grad.detach_().zero_()


def ensure_advertorch() -> None:
    """Make `import advertorch` work with a torch that no longer has `zero_gradients`."""
    ensure_torchvision()  # advertorch imports it
    importlib.import_module("torch.autograd.gradcheck")
    module = sys.modules["torch.autograd.gradcheck"]
    if not hasattr(module, "zero_gradients"):
        module.zero_gradients = _zero_gradients  # type: ignore[attr-defined]
