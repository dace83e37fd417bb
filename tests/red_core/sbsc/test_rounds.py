"""SBSC and SBSAD: recovery on unions of subspaces, and the rounds against a plain account."""

import numpy as np
import pytest
import torch

from red_core.sbsc import decide, decompose, follow, minimise_plainly
from red_core.sbsc.rounds import LAMBDA, ROUNDS, SHARE
from tests.red_core.ties import lead


@pytest.mark.parametrize("seed", range(5))
def test_a_union_of_subspaces_gives_up_its_class_and_attack(make_union, seed: int) -> None:
    """The guarantee of Thaker et al.: independent subspaces, x' = D_s[i] c_s + D_a[i][j] c_a."""
    union = make_union(seed, items=16)
    for found in decompose(union.blocks, union.target):
        signal, attack = decide(union.target, found)
        # The planted pair leaves far less unexplained than any other active one, so no tie.
        left = (union.target - found.perturbation)[:, None] - found.signal
        lengths = left.norm(dim=2).masked_fill(~found.classes, 1e9)
        assert lead(-lengths) > 1e-2
        left = (union.target - found.clean)[:, None]
        left = left - found.attack[torch.arange(16), union.classes]
        assert lead(-left.norm(dim=2).masked_fill(~found.attacks, 1e9)) > 1e-2
        assert signal.equal(union.classes)
        assert attack.equal(union.attacks)


def test_what_it_recovers_lies_in_the_right_blocks(make_union) -> None:
    union = make_union(items=16)
    found, _ = decompose(union.blocks, union.target)
    every = torch.arange(16)
    clean = found.signal[every, union.classes]
    blamed = found.attack[every, union.classes, union.attacks]
    left = (union.target - clean - blamed).norm(dim=1) / union.target.norm(dim=1)
    assert float(left.max()) < 0.5


def plain_rounds(union, target: torch.Tensor) -> list[tuple[set[int], set[int], float, np.ndarray]]:
    """The rounds for one x' as one would first write them, each problem solved by FISTA."""
    parts, columns, kinds = union.parts, union.columns, 2
    classes, attacks, rounds, residual = set(), set(), [], target
    for _ in range(ROUNDS):
        sizes = [float((columns[:, part].T @ residual).norm()) for part in parts]
        signal, attack = sizes[:4], sizes[4:]
        # The rounds take the largest, and their residual differs from this one's by 1e-4 at most.
        by_attack = [max(attack[j::kinds]) for j in range(kinds)]
        assert all(lead(torch.tensor([some])) > 1e-3 for some in (signal, by_attack))
        classes.add(int(np.argmax(signal)))
        attacks.add(int(np.argmax(attack)) % kinds)
        gammas = [sum(sorted(some)[-2:]) / 2 * SHARE for some in (signal, attack)]
        some = sorted(classes)
        some += [4 + i * kinds + j for i in sorted(classes) for j in sorted(attacks)]
        gamma = torch.tensor([gammas[g >= 4] for g in some], dtype=torch.float64)
        chosen = torch.cat([columns[:, parts[g]] for g in some], dim=1)
        widths = [parts[g].stop - parts[g].start for g in some]
        ends = np.cumsum(widths).tolist()
        inside = [slice(e - w, e) for e, w in zip(ends, widths, strict=True)]
        c, value = minimise_plainly(chosen, inside, target, gamma, LAMBDA)
        residual = target - chosen @ c
        rounds.append((set(classes), set(attacks), value, residual.numpy()))
    return rounds


@pytest.mark.parametrize("seed", [0, 2, 6])  # whose choices are far from a tie
def test_every_round_is_that_of_a_plain_account(make_union, seed: int) -> None:
    union = make_union(seed, items=3, likeness=1.5)
    plain = [plain_rounds(union, target) for target in union.target]
    for number, (_, found) in enumerate(follow(union.blocks, union.target)):
        residual = union.target - found.clean - found.perturbation
        for item in range(3):
            classes, attacks, _, expected = plain[item][number]
            assert set(found.classes[item].nonzero()[:, 0].tolist()) == classes
            assert set(found.attacks[item].nonzero()[:, 0].tolist()) == attacks
            np.testing.assert_allclose(residual[item], expected, atol=1e-4)


def test_the_rounds_end_where_nothing_was_added(make_union) -> None:
    union = make_union(7, items=12, likeness=1.5)
    history = list(follow(union.blocks, union.target))
    for item in range(12):
        idle = [n for n, (_, found) in enumerate(history) if not bool(found.grown[item])]
        end = idle[0] if idle else ROUNDS - 1
        ended = history[-1][0]
        assert int(ended.round[item]) == end + 1
        torch.testing.assert_close(ended.signal[item], history[end][1].signal[item])
        torch.testing.assert_close(ended.attack[item], history[end][1].attack[item])
        assert ended.classes[item].equal(history[end][1].classes[item])  # a copy


def test_a_round_adds_at_most_one_class_and_one_attack(make_union) -> None:
    union = make_union(3, items=12, likeness=1.5)
    before = (torch.zeros(12, dtype=torch.int64), torch.zeros(12, dtype=torch.int64))
    for _, found in follow(union.blocks, union.target):
        now = (found.classes.sum(1), found.attacks.sum(1))
        assert all(int((b - a).max()) <= 1 for a, b in zip(before, now, strict=True))
        assert found.grown.equal((now[0] + now[1]) > (before[0] + before[1]))
        before = now


@pytest.mark.parametrize("likeness", [0.0, 1.5])
def test_the_full_problem_is_solved_exactly_where_no_other_block_is_missed(
    make_union, likeness: float
) -> None:
    union = make_union(1, items=4, likeness=likeness)
    residual, told = union.target, []
    for number, (_, found) in enumerate(follow(union.blocks, union.target)):
        sizes = union.blocks.correlations(residual)
        residual = union.target - found.clean - found.perturbation
        for item, target in enumerate(union.target):
            means = [SHARE * part.topk(2).values.mean() for part in sizes[item].split([4, 8])]
            gamma = torch.stack([means[0]] * 4 + [means[1]] * 8)
            _, full = minimise_plainly(union.columns, union.parts, target, gamma, LAMBDA)
            _, _, active, _ = plain_rounds(union, target)[number]
            told.append(bool(found.missed[item] <= 1))
            if told[-1]:
                assert active == pytest.approx(full, rel=1e-6)
            else:
                assert active > full * (1 + 1e-6)
    assert any(told)


def test_an_image_without_ink_is_no_trouble(make_union) -> None:
    union = make_union()
    blank = torch.zeros(1, 80, dtype=torch.float64)
    ended, last = decompose(union.blocks, blank)
    assert float(last.clean.abs().max()) == float(last.perturbation.abs().max()) == 0
    signal, attack = decide(blank, ended)
    assert 0 <= int(signal) < 4
    assert 0 <= int(attack) < 2


def test_an_item_does_not_depend_on_its_neighbours(make_union) -> None:
    union = make_union(5, likeness=1.0)
    together, _ = decompose(union.blocks, union.target)
    for item in range(len(union.target)):
        alone, _ = decompose(union.blocks, union.target[item : item + 1])
        torch.testing.assert_close(alone.signal[0], together.signal[item], rtol=0, atol=1e-6)
