"""Presets are data: the numbers of `SolverOptions` by name.

`paper`: Algorithm 1 with its misprints corrected (prox of eta * lambda, conformable layer
products, both updates from iterate k) and B.2's numbers: 10 restarts x 100 Defense-GAN steps on
the MSE, the best one carried through 500 alternating steps, Nesterov acceleration and step
1/||D_a||^2 on c_a, lambda = 0.35 lambda_max. The paper leaves the z-step open; here it is plain
gradient descent with a fixed rate, and Adam in the Defense-GAN phase. Both rates were chosen on
held-out training images, and they matter: a z that moves faster ends far from where N(0, I) puts
it, with a G(z) that has the perturbation in it.
`paper-frozen`: the same with z frozen after the start, as the published code does on MNIST and
Fashion-MNIST; on CIFAR-10 it moves w by Adam at 1e-3, as `paper` does there.
`paper-published` (MNIST and Fashion-MNIST): `paper-frozen` with that code's start, gradient descent
with momentum 0.7 at its rate from the 10 nearest of 100 draws, and lambda recomputed at every step
(which with z frozen gives the same number).
`best`: what measured most accurate and fast: an encoder's guess and two random starts are carried
through the alternation and compete on the joint objective, lambda is small, Adam moves z, c_a is
accelerated with gradient restart, and a penalty keeps z where it is likely.

CIFAR-10's numbers are its own, since z is a point of W or W+ there: `paper` starts from the mean w
of one class, as the published code (of the class whose picture is nearest), and moves one w for all
layers by Adam; `best` starts from the encoder's guess and from the mean w of all classes, of which
the better one is kept after ten steps.
`bsd-dp-paper` is B.8: a diffusion model in the place of G, D(x') in that of G(z); its first round,
where c_a is still zero, is DiffPure. `bsd-dp` purifies x' - D_a c_a instead, what the attack's code
leaves of x', so that every round begins where the last one ended, and our reader reads the end.
"""

from __future__ import annotations

from dataclasses import replace

from red_core.algorithm.options import DIFFUSION, SolverOptions
from red_core.data.datasets import DENOISED, TWO_GENERATORS
from red_core.data.own_datasets import base_of, own_dataset

DEFAULT_PRESET = "best"

# The trained files that a preset's answers hang on.
PAPER_FILES: tuple[str, ...] = (
    *("classifier.safetensors", "generator.safetensors", "dictionary.safetensors"),
)
BEST_FILES = (
    *PAPER_FILES,
    *("encoder.safetensors", "reader.safetensors"),
    *("type-classifier.safetensors", "evidence.safetensors"),
)


DIFFUSION_FILES = ("classifier.safetensors", "diffusion.safetensors", "dictionary.safetensors")
READ_DIFFUSION_FILES = (*DIFFUSION_FILES, "reader.safetensors")
_FILES = {"best": BEST_FILES, "bsd-dp": READ_DIFFUSION_FILES, "bsd-dp-paper": DIFFUSION_FILES}


# Of each generator that a run may name. "own" was trained here with an inversion term; "dcgan" is
# the paper's (B.2): a plain DCGAN on MNIST, a Wasserstein GAN of the same layers on Fashion-MNIST.
OWN, DCGAN = "own", "dcgan"
GENERATORS = {OWN: "generator.safetensors", DCGAN: "paper-generator.safetensors"}


def files_of(preset: str, generator: str = OWN) -> tuple[str, ...]:
    """The trained files of a preset: the paper's know psi, G (or D) and D_a alone.

    generator: key of GENERATORS, whose file takes the place of our own G's.
    """
    files = _FILES.get(preset, PAPER_FILES)
    return tuple(GENERATORS[generator] if name == GENERATORS[OWN] else name for name in files)


PRESETS: dict[str, SolverOptions] = {
    "best": SolverOptions(
        restarts=2,
        encoder_start=True,
        start_steps=20,
        start_rate=0.05,
        carry=3,
        halve_at=(40, 80),
        steps=120,
        signal_step="adam",
        signal_rate=0.05,
        acceleration="restart",
        lambda_fraction=0.02,
        latent_weight=0.4,
    ),
    "paper": SolverOptions(),
    "paper-frozen": SolverOptions(signal_step="frozen"),
    "paper-published": SolverOptions(
        start_draws=100,
        start_step="gradient",
        start_rate=0.0255,  # 20 / 784: of 1/2 ||.||^2; published: 10, of the mean of 784 squares
        start_momentum=0.7,
        signal_step="frozen",
        lambda_every_step=True,
    ),
}
"""Of the data sets whose z is N(0, I)."""

# A w that every layer shares cannot draw an attack; one of W+ can, and then psi reads the attack.
_CIFAR10_PAPER = SolverOptions(
    restarts=0,
    class_start=True,
    one_w=True,
    start_steps=150,
    start_rate=0.02,
    signal_step="adam",
    signal_rate=0.001,
)
_BSD_DP = SolverOptions(
    restarts=0,
    mean_start=True,
    start_step=DIFFUSION,
    signal_step=DIFFUSION,
    start_steps=1,
    steps=12,
    inner=5,
    acceleration="restart",
    lambda_fraction=0.35,
    remainder=True,
)

# CIFAR-10's `best`. An attack is smaller there than what G misses, and an inversion that comes
# nearer rebuilds it: hence the penalty on w and the early end, chosen on training and
# held-out images.
# psi's accuracy in such runs is in the manifest entry of the reader.
CIFAR10_BEST = SolverOptions(
    restarts=0,
    encoder_start=True,
    mean_start=True,
    start_step="lbfgs",
    start_steps=10,
    start_rate=5.0,
    steps=40,
    signal_step="lbfgs",
    signal_rate=5.0,
    acceleration="restart",
    lambda_fraction=0.5,
    latent_weight=0.004,
)

CIFAR10_PRESETS: dict[str, SolverOptions] = {
    "best": CIFAR10_BEST,
    "paper": _CIFAR10_PAPER,
    "paper-frozen": replace(_CIFAR10_PAPER, signal_step="frozen"),
    "bsd-dp": _BSD_DP,
    # The strength at which psi reads most held-out images right (recipe `purification`).
    "bsd-dp-paper": replace(_BSD_DP, steps=24, inner=20, remainder=False, noise=0.25),
}


def presets_of(dataset: str) -> dict[str, SolverOptions]:
    """The presets of a data set by name; the default comes first.

    An opened project has those of its generator's latent space: N(0, I) or W+. Without an encoder,
    `best` has one more random start in the place of the encoder's guess; B.8's presets are there
    where its base has a diffusion model.

    >>> list(presets_of("mnist")), presets_of("mnist")["paper"].lambda_fraction
    (['best', 'paper', 'paper-frozen', 'paper-published'], 0.35)
    """
    own = own_dataset(dataset)
    if own is None:
        return CIFAR10_PRESETS if dataset == "cifar10" else PRESETS
    presets = dict(CIFAR10_PRESETS if own.style else PRESETS)
    if not own.encoded:
        best = presets["best"]
        more = best.restarts if own.style else best.restarts + 1
        presets["best"] = replace(best, encoder_start=False, restarts=more)
    if own.shape != (1, 28, 28):  # the published rate is one of 784 pixels
        presets.pop("paper-published", None)
    for name in ("bsd-dp", "bsd-dp-paper"):
        presets.pop(name, None)
        if base_of(dataset) in DENOISED:
            presets[name] = CIFAR10_PRESETS[name]
    return presets


def presets_with(dataset: str, generator: str) -> tuple[str, ...]:
    """The names of the presets of a data set that can run with a generator, key of GENERATORS.

    With "dcgan" those of psi, G and D_a alone: an encoder, a reader and evidence were trained on
    our own G. () for a data set without that generator.
    """
    if generator == OWN:
        return tuple(presets_of(dataset))
    if dataset not in TWO_GENERATORS:
        return ()
    return tuple(name for name in presets_of(dataset) if files_of(name) == PAPER_FILES)
