"""What a block of the attack's code is made of: the training attacks behind a cell of the stage."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from torch import Tensor

from pages.ui.live.history import nearest
from pages.ui.live.live_run import LiveRun

STRONGEST = 6  # training attacks that are shown of a block


class NotThereError(Exception):
    """A block that cannot be opened; the message is for the user."""


def block_of(run: LiveRun, k: int, label: int, attack: int) -> dict[str, Any]:
    """A block of c_a at the kept iterate nearest to k, its strongest columns first.

    label, attack: indices of the block. In the answer: k of the iterate; used, of: columns with a
    coefficient, and all; norm: ||c_a[i][j]||; left, before: ||x' - G(z) - D_a[i][j] c_a[i][j]||
    and ||x' - G(z)||; columns: of each its coefficient on the training attack as it was made, and
    that attack's picture; sum: the picture of D_a[i][j] c_a[i][j]; a picture is int8 in base64,
    -127..127 for -scale..scale. Raises NotThereError.
    """
    runner = run.runner
    frames = () if runner is None else runner.view().frames
    if runner is None or not frames:
        raise NotThereError("The attack's code begins once the attack is made.")
    dictionary = runner.parts.bundle.dictionary
    if not (0 <= label < dictionary.classes and 0 <= attack < len(dictionary.attacks)):
        raise NotThereError("There is no such block.")
    frame = frames[nearest([each.k for each in frames], k)]
    columns = dictionary.block(label, attack)
    code = frame.c_a[0, columns].cpu()
    atoms, norms = dictionary.atoms[:, columns].cpu(), dictionary.norms[columns].cpu()
    order = code.abs().argsort(descending=True)[:STRONGEST]
    summed = atoms @ code
    whole = frame.c_a[0].to(dictionary.atoms.device)
    unexplained = frame.residual[0].cpu().flatten() + dictionary.combine(whole).cpu()  # x' - G(z)
    return {
        "k": frame.k,
        "used": int((code != 0).sum()),
        "of": dictionary.block_size,
        "norm": float(code.norm()),
        "left": float((unexplained - summed).norm()),
        "before": float(unexplained.norm()),
        "columns": [
            {
                "coefficient": float(code[place] / norms[place]),
                **_picture(atoms[:, place] * norms[place]),
            }
            for place in order.tolist()
            if code[place] != 0
        ],
        "sum": _picture(summed),
    }


def _picture(values: Tensor) -> dict[str, Any]:
    scale = float(values.abs().max())
    whole = np.zeros(values.numel(), np.int8)
    if scale > 0:
        whole = (values / scale * 127).round().numpy().astype(np.int8)
    return {"scale": scale, "values": base64.b64encode(whole.tobytes()).decode()}
