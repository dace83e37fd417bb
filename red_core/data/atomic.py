"""Files replaced in one step: a kill at any moment leaves the old content or the new one.

The content is written to a file beside the target, of the same file system, and then renamed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place when the body ends without an error.

    For writers that want a path (`torch.save`, `save_file`). The name holds the process and the
    thread, so that two writers of one file do not mix their bytes: the last rename wins. The
    folder must exist. On an error `path` keeps what it held, and nothing is left beside it.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file in one step; its folder is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(content)
