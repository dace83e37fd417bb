"""The order of a component's draws, for its script to keep.

Streamlit calls a component's script for every change of its data, each call after a wait of its
own: on a busy machine an older call was seen to stand where a newer one should.
"""

from __future__ import annotations

import time
from typing import Any


def numbered(data: dict[str, Any]) -> dict[str, Any]:
    """The data with `drawn`, microseconds, later in every draw: so the last one is always a change.

    The script leaves out a call that is older than the one it has shown.
    """
    return {**data, "drawn": time.time_ns() // 1000}
