"""`python -m red_core COMMAND`, which an installed package also offers as `red COMMAND`."""

from __future__ import annotations

import sys

from red_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
