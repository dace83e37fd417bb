"""`assumption`: what it refuses. What it measures: ../test_assumption.py."""


def test_an_unknown_data_set_is_refused(refused) -> None:
    assert "unknown data set" in refused("assumption", "--dataset", "letters")


def test_no_examples_are_refused(refused) -> None:
    assert "whole number from 1" in refused("assumption", "--examples", 0)
