"""The page's request: what a URL may say, and what becomes of what it may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.tables.tables_request import (
    TablesRequest,
    as_query,
    from_query,
    looking_at,
    methods_of,
    moved,
    tables_of,
)
from red_core.measure.tables import TABLES

REQUESTS = (
    TablesRequest(),
    TablesRequest("1", "white-box", "bsd-gan-best/rules", "l1", "bundled", ("class", 7, 2), 321),
    TablesRequest("4", method="bsd-gan-best-smooth"),
    TablesRequest("5", attack="none", cell=("attack", 3, 0)),
)


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_link_says_all_of_a_request(request_: TablesRequest):
    query = as_query(request_)
    assert from_query(query) == (request_, [])
    assert query["dataset"] == TABLES[request_.table].dataset


def test_the_shortest_link_is_not_empty_and_an_empty_one_is_the_default():
    assert as_query(TablesRequest()) == {"dataset": "mnist", "table": "1"}
    assert from_query({}) == (TablesRequest(), [])


def test_a_data_set_alone_leads_to_its_first_table():
    request, warnings = from_query({"dataset": "fashion", "attack": "l2"})
    assert (request.table, request.attack, warnings) == ("5", "l2", [])


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"dataset": "cifar"}, "dataset"),
        ({"table": "7"}, "no Table '7'"),
        ({"dataset": "fashion", "table": "4"}, "Table 4 is not on fashion"),
        ({"block": "black-box"}, "block must be one of"),
        ({"method": "gan"}, "method must be one of"),
        ({"method": "bsd-gan-best/eyes"}, "method must be one of"),
        ({"attack": "fgsm"}, "attack must be one of"),
        ({"images": "mine"}, "images must be one of"),
        ({"cell": "class.10.0"}, "10 rows"),
        ({"cell": "attack.4.0"}, "4 rows"),
        ({"cell": "shoe.1.1"}, "matrix must be one of"),
        ({"cell": "class.1"}, "written as"),
        ({"cell": "class.-1.1"}, "written as"),
        ({"cell": "class.1.1", "index": "1e3"}, "whole number"),
        ({"cell": "class.1.1", "index": "100000"}, "between 0 and"),
    ],
)
def test_what_is_not_acceptable_is_dropped_with_a_sentence(query: dict[str, str], words: str):
    request, warnings = from_query({**query, "attack": query.get("attack", "l1")})
    assert len(warnings) == 1
    assert words in warnings[0]
    assert warnings[0].endswith(".")
    assert request.attack == ("l1" if "attack" not in query else "linf")


def test_an_index_belongs_to_a_cell():
    assert TablesRequest(index=4).index is None
    assert from_query({"index": "4"})[0].index is None


def test_other_matrices_have_no_chosen_cell():
    request = REQUESTS[1]
    assert looking_at(request, attack="l2") == replace(request, attack="l2", cell=None, index=None)
    assert looking_at(request, attack="l1") == request
    again = looking_at(request, cell=("class", 7, 2), index=5)
    assert (again.cell, again.index) == (("class", 7, 2), 5)
    assert looking_at(request, cell=("class", 1, 2)).index is None


def test_another_table_keeps_what_it_can():
    request = TablesRequest("1", "white-box", "bsd-gan-best/rules", "l2")
    assert moved(request, "4") == TablesRequest("4", "psi", "bsd-gan-best/rules", "l2")
    assert moved(request, "5") == TablesRequest("5", "white-box", "bsd-gan-best/rules", "l2")
    assert moved(replace(request, method="cnn"), "4").method == methods_of("4")[0]


def test_every_data_set_has_a_table_and_every_table_the_default_method():
    assert tables_of("mnist") == ("1", "4")
    assert tables_of("fashion") == ("5",)
    assert all("bsd-gan-best" in methods_of(number) for number in TABLES)
