"""Attacks: PGD with the paper's settings (B.2), and some that the dictionary does not hold."""
