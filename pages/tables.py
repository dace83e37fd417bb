"""The page "Tables": the paper's figures beside ours, and the images behind them."""

from __future__ import annotations

from pages.ui import entrance, style
from pages.ui.tables import arrival
from pages.ui.tables import style as own_style
from pages.ui.tables.act_assumption import assumption
from pages.ui.tables.act_matrices import matrices
from pages.ui.tables.act_starts import starts
from pages.ui.tables.act_table import table
from pages.ui.tables.act_unknown import unknown
from pages.ui.tables.controls import which_table

entrance.enter()
style.apply()
own_style.apply()
held = arrival.arrive()
which_table(held)
arrival.complain()
table(held)
matrices(held)
assumption(held)
starts(held)
unknown(held)
arrival.write_link()
