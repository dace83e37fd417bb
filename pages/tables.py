"""The page "Tables": the paper's figures beside ours, and the images behind them."""

from __future__ import annotations

from pages.ui.look import page_style as style
from pages.ui.look.section import section
from pages.ui.look.symbols import legend
from pages.ui.tables.section_angles import angles
from pages.ui.tables.section_assumption import assumption
from pages.ui.tables.section_matrices import matrices
from pages.ui.tables.section_starts import starts
from pages.ui.tables.section_table import table
from pages.ui.tables.section_tradeoff import tradeoff
from pages.ui.tables.section_unknown import unknown
from pages.ui.tables.tables_controls import which_table
from pages.ui.tables.tables_page_state import PAGE

style.apply("tables/tables.css")
PAGE.read_url()
current = PAGE.current
with section("The choice of table"):
    which_table(current)
PAGE.show_warnings()
with section("The table"):
    table(current)
with section("The trade-off of the noise"):
    tradeoff(current)
with section("The confusion matrices"):
    matrices(current)
with section("The dictionary's assumption"):
    assumption(current)
with section("The angles between blocks"):
    angles(current)
with section("Where inversions begin and end"):
    starts(current)
with section("The attacks nobody trained for"):
    unknown(current)
with section("The symbols"):
    legend("tables")
PAGE.write_link()
