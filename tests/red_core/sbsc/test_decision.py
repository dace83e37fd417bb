"""The rules of SBSC and SBSAD on a decomposition written by hand."""

import torch

from red_core.sbsc import Decomposition, decide

# x' = (1, 1, 1, 1): class 1 explains the first two pixels, attack (1, 0) the third.
TARGET = torch.ones(1, 4, dtype=torch.float64)


def found(classes: list[bool], attacks: list[bool], **parts: list[float]) -> Decomposition:
    signal = torch.zeros(1, 3, 4, dtype=torch.float64)
    attack = torch.zeros(1, 3, 2, 4, dtype=torch.float64)
    for name, values in parts.items():
        kind, *place = name.split("_")
        where = (0, *(int(index) for index in place))
        (signal if kind == "s" else attack)[where] = torch.tensor(values, dtype=torch.float64)
    zero = torch.zeros(1)
    return Decomposition(
        signal, attack, torch.tensor([classes]), torch.tensor([attacks]), zero, zero, zero, zero
    )


def answers(decomposition: Decomposition) -> tuple[int, int]:
    signal, attack = decide(TARGET, decomposition)
    return int(signal), int(attack)


def test_the_class_that_explains_most_beside_all_attacks() -> None:
    parts = {"s_0": [1, 0, 0, 0], "s_1": [0, 1, 0, 0.5], "a_1_0": [0, 0, 1, 0]}
    assert answers(found([True, True, False], [True, False], **parts)) == (1, 0)


def test_all_attacks_count_for_the_class() -> None:
    # Alone, class 0 leaves less of x'; but its pixels are what the attack explains already.
    parts = {"s_0": [1, 1, 0, 0], "s_1": [0, 0, 1, 0], "a_0_0": [1, 1, 0, 0]}
    assert answers(found([True, True, False], [True, False], **parts))[0] == 1


def test_the_attack_is_read_in_the_blocks_of_the_answered_class() -> None:
    # The largest attack stands in class 0, which does not win.
    parts = {"s_1": [1, 1, 0, 0], "a_0_0": [0, 0, 1, 0], "a_1_1": [0, 0, 0.5, 0]}
    assert answers(found([True, True, False], [True, True], **parts)) == (1, 1)


def test_all_classes_count_for_the_attack() -> None:
    # Class 2 explains the pixel of attack (1, 0) already, so attack (1, 1) leaves less.
    parts = {
        "s_1": [1, 1, 0, 0], "s_2": [0, 0, 1, 0],
        "a_1_0": [0, 0, 0.9, 0], "a_1_1": [0, 0, 0, 0.1],
    }  # fmt: skip
    assert answers(found([True, True, True], [True, True], **parts)) == (1, 1)


def test_what_is_not_active_is_never_answered() -> None:
    assert answers(found([False, False, True], [False, True])) == (2, 1)
