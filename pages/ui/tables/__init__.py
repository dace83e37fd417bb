"""The page "Tables": the paper's tables beside ours, and the images behind every figure."""
