"""`python -m red_core {run,evaluate,benchmark,results,recipe,convert,doctor}`."""

from __future__ import annotations

import sys

from red_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
