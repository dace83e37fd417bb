"""Algorithm 1: the RED problem (eqs. 2 and 5), one step, the loop over it, and the verdict."""
