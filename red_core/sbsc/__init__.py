"""Block-sparse decomposition with two dictionaries, x' ~ D_s c_s + D_a c_a (Thaker et al. 2022).

`follow` runs that paper's rounds, `decompose` to their end, which `decide` reads as SBSC (the
class) and SBSAD (the attack). `minimise` solves the block elastic net over all blocks with an
active set; `minimise_plainly` is the solver the tests compare with.
"""

from red_core.sbsc.active_set import minimise
from red_core.sbsc.block_descent import Solution, descend
from red_core.sbsc.blocks import BlockDictionary
from red_core.sbsc.decision import decide
from red_core.sbsc.objective import ElasticNet
from red_core.sbsc.reference import minimise_plainly
from red_core.sbsc.rounds import Decomposition, decompose, follow

__all__ = [
    "BlockDictionary",
    "Decomposition",
    "ElasticNet",
    "Solution",
    "decide",
    "decompose",
    "descend",
    "follow",
    "minimise",
    "minimise_plainly",
]
