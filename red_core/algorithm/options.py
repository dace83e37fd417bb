"""The numbers of one run of Algorithm 1: what it starts from, how it moves, when it stops."""

from __future__ import annotations

from dataclasses import dataclass

DIFFUSION = "diffusion"
SIGNAL_STEPS = ("gradient", "adam", "lbfgs", "frozen", DIFFUSION)
SQUARED, PERCEPTUAL = "squared", "perceptual"
START_LOSSES = (SQUARED, PERCEPTUAL)
ACCELERATIONS = ("none", "nesterov", "restart")
CHECK_EVERY = 10  # steps between two looks at whether an item has settled


@dataclass(frozen=True)
class SolverOptions:
    """Numbers of one run.

    restarts: random starts an item; start_draws: random draws an item, of which the `restarts` with
    the smallest ||x' - G(z)|| are its random starts (100 in the published code; 0: no choice among
    draws); encoder_start: whether an encoder's guess is one more;
    mean_start: whether the middle of what is likely (the mean w of all classes) is one more;
    class_start: whether the mean w of one class is, of the class whose mean G(w) is nearest to x'
    by the start's loss;
    start_steps, start_step, start_rate: the Defense-GAN phase; start_momentum: heavy-ball momentum
    of its step "gradient" (0.7 in Defense-GAN's code); start_loss: what it descends, "squared" for
    1/2 ||x' - G(z)||^2 or "perceptual" for a distance of the classifier's first `start_maps`
    feature maps plus start_l1_weight times the mean of |x' - G(z)| (see `perceptual.py`); one_w:
    whether a point of W+ moves as one w, the same in every layer; carry: starts (lowest loss) that
    enter the alternation; halve_at: alternation steps after which the better half (lowest
    objective) is kept; steps: alternation steps; signal_step, signal_rate: the z update, where the
    rate of "lbfgs" is its longest step; acceleration: of c_a; lambda_fraction: lambda over
    lambda_max at the start of the alternation; lambda_every_step: whether lambda is that share of
    lambda_max of the present x' - G(z^k) at every step on c_a instead, as in the published code;
    c_a_after_z: whether a step on c_a uses G(z^{k+1}) (Gauss-Seidel) instead of G(z^k) as printed;
    latent_weight: w of a term w/2 ||z - anchor||^2 in
    the objective, which keeps z near where it is likely (0: the paper's eq. 5); feature_weight: of
    a term u/2 ||phi(x') - phi(G(z))||^2 with features phi of the classifier (0: none); inner:
    proximal steps on c_a for each z-step; tolerance: an item has settled once its relative duality
    gap, and what its objective still gained in CHECK_EVERY steps, are below it (0: run all steps).

    Of the signal step "diffusion" (B.8), which is that of both phases or of none, alone: noise:
    sigma on the [-1, 1] scale; noise_levels, noise_stochastic, noise_draws: `steps`, `stochastic`
    (ancestral sampling) and `draws` of the `Purifier`; remainder: purify x' - D_a c_a instead of
    x'.
    """

    restarts: int = 10
    start_draws: int = 0
    encoder_start: bool = False
    mean_start: bool = False
    class_start: bool = False
    start_steps: int = 100
    start_step: str = "adam"
    start_rate: float = 0.03
    start_momentum: float = 0.0
    start_loss: str = SQUARED
    start_maps: int = 1
    start_l1_weight: float = 0.0
    one_w: bool = False
    carry: int = 1
    halve_at: tuple[int, ...] = ()
    steps: int = 500
    signal_step: str = "gradient"
    signal_rate: float = 0.003
    acceleration: str = "nesterov"
    lambda_fraction: float = 0.35
    lambda_every_step: bool = False
    c_a_after_z: bool = False
    latent_weight: float = 0.0
    feature_weight: float = 0.0
    inner: int = 1
    tolerance: float = 0.0
    noise: float = 0.1
    noise_levels: int = 1
    noise_stochastic: bool = False
    noise_draws: int = 1
    remainder: bool = False

    @property
    def total(self) -> int:
        """Steps of a whole run, both phases."""
        return self.start_steps + self.steps

    def __post_init__(self) -> None:
        for name, low, high in (
            ("restarts", 0, 64),
            ("start_draws", 0, 10_000),
            ("start_steps", 0, 5000),
            ("steps", 1, 5000),
            ("carry", 1, 65),
            ("inner", 1, 50),
            ("start_maps", 1, 3),
            ("noise_levels", 1, 50),
            ("noise_draws", 1, 50),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, not {value}")
        if 0 < self.start_draws < self.restarts:
            raise ValueError(
                f"start_draws must be 0 or at least restarts, {self.restarts}, not "
                f"{self.start_draws}"
            )
        if any(step < 1 for step in self.halve_at):
            raise ValueError(f"halve_at holds steps of the alternation, from 1: {self.halve_at}")
        if self.restarts + self.encoder_start + self.mean_start + self.class_start < 1:
            raise ValueError(
                "a run needs at least one start: restarts >= 1, encoder_start, mean_start or "
                "class_start"
            )
        if self.one_w and self.encoder_start:
            raise ValueError("one_w and encoder_start exclude each other: its guess is one of W+")
        if not 0 < self.lambda_fraction <= 2:
            raise ValueError(f"lambda_fraction must lie in (0, 2], not {self.lambda_fraction}")
        for name in ("start_rate", "signal_rate"):
            if not 0 < getattr(self, name) <= 10:
                raise ValueError(f"{name} must lie in (0, 10], not {getattr(self, name)}")
        for name, most in (
            ("latent_weight", 10),
            ("feature_weight", 10),
            ("start_l1_weight", 10),
            ("noise", 0.5),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name} must lie in [0, {most}], not {getattr(self, name)}")
        if not 0 <= self.start_momentum < 1:
            raise ValueError(f"start_momentum must lie in [0, 1), not {self.start_momentum}")
        if self.start_momentum and self.start_step != "gradient":
            raise ValueError('start_momentum needs start_step "gradient"')
        if self.start_loss not in START_LOSSES:
            raise ValueError(f"start_loss is one of {', '.join(START_LOSSES)}")
        if self.start_l1_weight and self.start_loss != PERCEPTUAL:
            raise ValueError(f'start_l1_weight needs start_loss "{PERCEPTUAL}"')
        if self.signal_step not in SIGNAL_STEPS or self.start_step not in SIGNAL_STEPS:
            raise ValueError(f"signal steps are {', '.join(SIGNAL_STEPS)}")
        if (self.signal_step == DIFFUSION) != (self.start_step == DIFFUSION):
            raise ValueError("start_step and signal_step are both diffusion, or neither is")
        if self.acceleration not in ACCELERATIONS:
            raise ValueError(f"acceleration is one of {', '.join(ACCELERATIONS)}")
        if not 0 <= self.tolerance < 1:
            raise ValueError(f"tolerance must lie in [0, 1), not {self.tolerance}")
