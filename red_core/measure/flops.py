"""Count the floating-point operations of matrix products and convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class OperationCounter(TorchDispatchMode):
    """Within it, `total` grows by what torch's own formulas say of every operation that runs.

    One multiplication and one addition are two; element-wise work is not counted. torch's
    FlopCounterMode has the same formulas, but its module hooks fail on the repeated
    `autograd.grad` from one graph that the solver uses.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run the operation and count it."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        formula = flop_registry.get(getattr(func, "overloadpacket", None))
        if formula is not None:
            self.total += int(formula(*args, **kwargs, out_val=result))
        return result
