"""Attacked training images: what the encoder and the reader learn from.

Every training image is attacked once, with a type and a strength drawn from its own seed and few,
large PGD steps (the full attacks of B.2 would take hours on a CPU). Nothing is bundled of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, AttackSettings, craft
from red_core.data.datasets import load_official
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.recipes.dictionary import load_classifier
from red_core.run.settings import item_seed

STEPS = 12
BATCH = 256


@dataclass(frozen=True)
class Pool:
    """clean, attacked: [N, 1, 28, 28] in [0, 1], attacked in half precision; labels: [N].

    kinds: [N], index into ATTACKS of what was attacked with.
    """

    clean: Tensor
    attacked: Tensor
    labels: Tensor
    kinds: Tensor


def attacked_pool(context: RecipeContext) -> Pool:
    """The pool of a data set; made once (resumable) and kept in the work folder."""
    train = load_official(context.dataset, "train")
    count = 512 if context.tiny else len(train)
    path = context.checkpoint("pool")
    state = load_checkpoint(path) or {"attacked": torch.empty(0, 1, 28, 28).half()}
    psi = load_classifier(context)
    firsts = range(len(state["attacked"]), count, BATCH)
    done = [state["attacked"]]
    for number, first in enumerate(tqdm(firsts, desc="attacked pool")):
        images = train.images[first : min(first + BATCH, count)].to(context.device)
        labels = train.labels[first : first + len(images)].to(context.device)
        kind, scale = _drawn(context.seed, first)
        eps = PAPER_ATTACKS[context.dataset][kind].eps * scale
        settings = AttackSettings(kind, eps, eps / 4, STEPS)
        seeds = [item_seed(context.seed, first + i) for i in range(len(images))]
        done.append(craft(psi, images, labels, settings, seeds).half().cpu())
        if number % 20 == 19 or first == firsts[-1]:
            save_checkpoint(path, attacked=torch.cat(done))
    kinds = [ATTACKS.index(_drawn(context.seed, i // BATCH * BATCH)[0]) for i in range(count)]
    return Pool(train.images[:count], torch.cat(done), train.labels[:count], torch.tensor(kinds))


def _drawn(seed: int, first: int) -> tuple[str, float]:
    """The attack and its strength, as a factor on eps, of the batch that begins at `first`."""
    draw = torch.Generator().manual_seed(item_seed(seed, first))
    kind = ATTACKS[int(torch.randint(len(ATTACKS), (), generator=draw))]
    return kind, 0.4 + 1.2 * float(torch.rand((), generator=draw))


def corrupt(clean: Tensor, attacked: Tensor, draw: torch.Generator) -> Tensor:
    """A batch of x' to learn from: half attacked, a quarter noisy, the rest clean.

    The noise is of the three attacks' shapes (signs, Gaussian, sparse), so that the encoder does
    not learn the attacks of this psi alone. clean, attacked: [B, 1, H, W]; returns the same.
    """
    size = len(clean)
    strength = torch.rand(size, 1, 1, 1, generator=draw)
    shape = clean.shape
    signs = 0.45 * strength * torch.randn(shape, generator=draw).sign()
    gaussian = 0.2 * strength * torch.randn(shape, generator=draw)
    few = (torch.rand(shape, generator=draw) < 0.05 * strength).float()
    sparse = few * torch.randn(shape, generator=draw).sign()
    kind = torch.randint(3, (size, 1, 1, 1), generator=draw)
    noise = torch.where(kind == 0, signs, torch.where(kind == 1, gaussian, sparse))
    noisy = (clean + noise.to(clean.device)).clamp(0, 1)
    which = torch.randint(4, (size, 1, 1, 1), generator=draw).to(clean.device)
    return torch.where(which < 2, attacked.float(), torch.where(which == 2, noisy, clean))
