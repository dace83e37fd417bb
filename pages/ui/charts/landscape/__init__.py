"""Figures of a loss over a plane: from above, in relief, and the paths that cross them.

`relief`: what all of them share; `above`: the contour chart; `tall`: the surface in 3-D; `trails`:
paths, as overlays of either; `descent`: f along them; `away`: what a slice
does not show of one.
"""

from pages.ui.charts.landscape.above import Ring, above_figure, ring_traces
from pages.ui.charts.landscape.away import away_figure
from pages.ui.charts.landscape.descent_path import descent_figure
from pages.ui.charts.landscape.relief import Basin, Fate, Mark, Relief
from pages.ui.charts.landscape.tall import tall_figure
from pages.ui.charts.landscape.trails import Trail, above_trails, tall_trails

__all__ = [
    "Basin",
    "Fate",
    "Mark",
    "Relief",
    "Ring",
    "Trail",
    "above_figure",
    "above_trails",
    "away_figure",
    "descent_figure",
    "ring_traces",
    "tall_figure",
    "tall_trails",
]
