"""The page with two runs side by side from one x': its link, its controls, its words."""
