"""The page "Tables": the paper's figures beside ours, and the images behind them."""

from __future__ import annotations

from pages.ui.look import page_style as style
from pages.ui.tables import tables_page_state as page_state
from pages.ui.tables import tables_style as own_style
from pages.ui.tables.section_assumption import assumption
from pages.ui.tables.section_matrices import matrices
from pages.ui.tables.section_starts import starts
from pages.ui.tables.section_table import table
from pages.ui.tables.section_unknown import unknown
from pages.ui.tables.tables_controls import which_table

style.apply()
own_style.apply()
current = page_state.read_url()
which_table(current)
page_state.show_warnings()
table(current)
matrices(current)
assumption(current)
starts(current)
unknown(current)
page_state.write_link()
