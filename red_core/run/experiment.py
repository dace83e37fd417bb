"""From settings to a solver: the one route that the app, the command line and the tables take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import begin
from red_core.algorithm.diffusion_step import identity
from red_core.algorithm.options import DIFFUSION, PERCEPTUAL, SolverOptions
from red_core.algorithm.perceptual import start_losses
from red_core.algorithm.presets import presets_of
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State
from red_core.algorithm.verdict import PAPER_LAMBDA, Readers
from red_core.attacks.pgd import AttackSettings, Watch, craft
from red_core.models.purifier import Denoises, Purifier
from red_core.models.wide_resnet import WideResNet
from red_core.run.bundle import Bundle
from red_core.run.prior import starts_from
from red_core.run.settings import RunSettings, SettingsError, item_seed


@dataclass(frozen=True)
class AttackedBatch:
    """Attacked images and what is known about them.

    clean, attacked: [B, C, H, W], attacked in [0, 1] except for realizable instances, whose
    x' = G(z*) + D_a c_a* may leave it; labels: true classes [B] or None; truth: (z*, c_a*)
    where they are known.
    """

    clean: Tensor
    attacked: Tensor
    labels: Tensor | None
    truth: tuple[Tensor, Tensor] | None = None


def attack_images(
    bundle: Bundle,
    images: Tensor,
    labels: Tensor,
    attack: AttackSettings | None,
    seeds: Sequence[int],
    target: int | None = None,
    watch: Watch | None = None,
) -> AttackedBatch:
    """Craft x' of images [B, C, H, W] against the bundle's psi; attack None leaves them clean.

    watch: called before every step of the attack, see `craft`.
    """
    images, labels = images.to(bundle.device), labels.to(bundle.device)
    if attack is None:
        return AttackedBatch(images, images.clone(), labels)
    aim = labels if target is None else torch.full_like(labels, target)
    attacked = craft(
        bundle.psi, images, aim, attack, seeds, targeted=target is not None, watch=watch
    )
    return AttackedBatch(images, attacked, labels)


def realizable(bundle: Bundle, settings: RunSettings) -> AttackedBatch:
    """x' = G(z*) + D_a c_a* with c_a* in one block of the chosen attack, drawn from the seed.

    The instance on which mu is exact (B.1): z* and c_a* are known. The block's class is the one
    psi sees in G(z*); ||D_a c_a*|| is the mean norm of that block's training attacks.
    """
    # An index that no image has: the solver's own starts must not begin at z*.
    draw = torch.Generator().manual_seed(item_seed(settings.seed, -1))
    dictionary = bundle.dictionary
    z = bundle.prior.draw([draw], 1)[:, 0]
    with torch.no_grad():
        image = bundle.generator(z)
        label = bundle.psi(image).argmax(1)
    c_a = torch.zeros(1, dictionary.size, device=bundle.device)
    if settings.attack != "none":
        block = dictionary.block(int(label), dictionary.attacks.index(settings.attack))
        few = torch.zeros(dictionary.block_size)
        chosen = torch.randperm(dictionary.block_size, generator=draw)[:5]
        few[chosen] = torch.rand(len(chosen), generator=draw) + 0.5
        c_a[0, block] = few.to(bundle.device)
        size = dictionary.norms[block].mean() / dictionary.combine(c_a).norm().clamp_min(1e-9)
        c_a *= size
    attacked = image + dictionary.combine(c_a).view_as(image)
    return AttackedBatch(image, attacked, label, (z, c_a))


def clean_example(
    bundle: Bundle, settings: RunSettings, own: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """The image x [1, C, H, W] that `settings` name, and its class [1], None where nobody knows it.

    Raises SettingsError for an index beyond the examples or a missing own image.
    """
    if settings.source == "realizable":
        made = realizable(bundle, settings)
        return made.clean, made.labels
    if settings.source == "own":
        if own is None:
            raise SettingsError("this run wants an image of your own, and none was given")
        label = None if settings.label is None else torch.tensor([settings.label])
        return own[None], label
    if settings.index >= len(bundle.examples):
        raise SettingsError(
            f"index {settings.index} is beyond the {len(bundle.examples)} example images"
        )
    return (
        bundle.examples.images[settings.index][None],
        bundle.examples.labels[settings.index][None],
    )


def aims_at_own_class(settings: RunSettings, label: Tensor | None) -> bool:
    """Whether the attack aims at the class [1] that the image has: nothing is to be done then."""
    crafted = settings.attack != "none" and settings.source != "realizable"
    return crafted and label is not None and settings.target == int(label[0])


def craft_example(
    bundle: Bundle,
    settings: RunSettings,
    own: Tensor | None = None,
    watch: Watch | None = None,
) -> AttackedBatch:
    """The attacked example that `settings` name; own: the user's image [1, H, W] for source "own".

    Where the label of an own image is not given, the attack moves away from the class psi gives it.
    watch: called before every step of the attack. Raises SettingsError as `clean_example`, and
    where the target is the image's own class.
    """
    if settings.source == "realizable":
        return realizable(bundle, settings)
    image, label = clean_example(bundle, settings, own)
    if label is None:
        with torch.no_grad():
            aim = bundle.psi(image.to(bundle.device)).argmax(1)
    else:
        aim = label
    seeds = [item_seed(settings.seed, settings.index)]
    attack = settings.attack_settings()
    if aims_at_own_class(settings, label):
        raise SettingsError(
            f"the target class {settings.target} is the image's own class: choose another, or none"
        )
    made = attack_images(bundle, image, aim, attack, seeds, settings.target, watch)
    return made if label is not None else AttackedBatch(made.clean, made.attacked, None)


def make_starts(
    bundle: Bundle, attacked: Tensor, options: SolverOptions, seeds: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Starts z [B, S, *latent] and their anchors, of the same shape: see `starts_from`.

    With a diffusion model in the place of G (B.8) the only start is x' itself. Raises ValueError
    where the only start would be the guess of an encoder that the bundle lacks, or the options
    want a class's mean w and the generator is given no class.
    """
    if options.signal_step == DIFFUSION:
        own = attacked.to(bundle.device)[:, None]
        return own, own
    class_losses = None
    if options.class_start:
        problem = make_problem(bundle, attacked, options, seeds)
        class_losses = partial(start_losses, problem, options=options)
    return starts_from(
        bundle.prior,
        attacked.to(bundle.device),
        seeds,
        restarts=options.restarts,
        mean=options.mean_start,
        encoder=options.encoder_start,
        draws=options.start_draws,
        generator=bundle.generator,
        class_losses=class_losses,
    )


def begin_run(
    bundle: Bundle, attacked: Tensor, options: SolverOptions, seeds: Sequence[int]
) -> tuple[RedProblem, State]:
    """The problem of a batch of attacked images [B, C, H, W] and its iterate 0; one seed per item.

    Raises ValueError where the options want a diffusion model or features that the bundle lacks.
    """
    problem = make_problem(bundle, attacked, options, seeds)
    starts, anchors = make_starts(bundle, problem.observed, options, seeds)
    return problem, begin(problem, starts, options, anchors)


def make_problem(
    bundle: Bundle, attacked: Tensor, options: SolverOptions, seeds: Sequence[int]
) -> RedProblem:
    """The RED problem of attacked images [B, C, H, W] on the bundle's device.

    With a diffusion model in the place of G (B.8) z is the image, and G the identity. Raises
    ValueError where the options want a diffusion model that the bundle lacks.
    """
    attacked = attacked.to(bundle.device)
    if options.signal_step != DIFFUSION:
        features = bundle.features if options.feature_weight else None
        maps = None
        if options.start_loss == PERCEPTUAL and isinstance(bundle.psi, WideResNet):
            maps = partial(bundle.psi.features, depth=options.start_maps)
        return RedProblem(attacked, bundle.generator, bundle.dictionary, features, maps=maps)
    if bundle.denoiser is None:
        raise ValueError("a diffusion step needs a diffusion model, and there is none")
    purifier = purifier_of(bundle.denoiser, options)
    return RedProblem(attacked, identity, bundle.dictionary, purify=purifier, seeds=tuple(seeds))


def purifier_of(denoiser: Denoises, options: SolverOptions) -> Purifier:
    """The purifier that the options of B.8 name."""
    return Purifier(
        denoiser,
        options.noise,
        options.noise_levels,
        options.noise_stochastic,
        options.noise_draws,
    )


def start_seeds(settings: RunSettings) -> list[int]:
    """The seeds of one run's random starts: the app and the command line share them."""
    return [item_seed(settings.seed, settings.index)]


def readers_for(bundle: Bundle, preset: str) -> Readers:
    """The readers a preset answers with: the paper's rules for the paper's presets.

    `best` has readers of its own for both answers, `bsd-dp` for the signal alone, which it reads
    off its own purified picture: the evidence was trained on what G leaves over. Where `best` runs
    at a smaller lambda than the paper's, BSD-GAN-AD is asked at the paper's.
    """
    if preset == "best":
        smaller = presets_of(bundle.dataset)["best"].lambda_fraction < PAPER_LAMBDA
        return replace(bundle.readers, rule_lambda=PAPER_LAMBDA) if smaller else bundle.readers
    paper = bundle.paper_readers()
    if preset == "bsd-dp":
        own = bundle.readers
        return replace(paper, reader=own.reader, reader_temperature=own.reader_temperature)
    return paper
