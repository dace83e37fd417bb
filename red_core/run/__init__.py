"""One run: its settings, the trained parts it needs, its starts, and its report."""
