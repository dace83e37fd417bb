"""What the page "Error bound" teaches: a short text for every control, and one for every act."""

from __future__ import annotations

PRESETS = (
    "One press sets everything as the paper has it and runs. What the paper leaves open (the slope "
    "of σ, the scale of W, the step size) stands in the sidebar: change it and run again."
)
ATTACKED = (
    "B.5 states its examples without an attack and says that they work with the attack dictionary "
    "of B.1 as well. Here z and c_a move in turn: see how many instances arrive, and after how "
    "many steps."
)
LESSONS = "Cases in which the paper's theorems can be seen to hold, and to stop holding."
FAMILY = (
    "Where W comes from. G(z) = σ(Wz), or several such layers (eq. 4). Gaussian weights are the "
    "random GAN of Figure 1; the others are the far-from-random ones of 5.1 and B.5."
)
M = "Outputs of G. The paper calls G expansive where m is much larger than d."
D = "Dimension of the latent z."
LAYERS = "Layers L of eq. 4; the widths grow evenly from d to m."
ACTIVATION = (
    "σ in every layer. The theorems need it to be twice differentiable (Assumption 1): leaky ReLU "
    "and ReLU are not, softplus, sigmoid, tanh, GELU and SiLU are."
)
SLOPE = (
    "The slope of the leaky ReLU below zero. The paper does not state it, and μ depends on it: for "
    "one layer μ ≥ 2 α² σ_min(W)². A slope of 1 is linear."
)
BETA = "β of softplus: log(1 + exp(βt))/β. The larger, the closer to ReLU. B.4 uses 10."
SCALE = (
    "The variance of W's entries: 1 over its outputs, 1 over its inputs, or 1. The paper does not "
    "state it. μ grows with it: the gradient has W twice."
)
NOISE = "The variance of ε_i, added to the rows of W. Examples 15 and 16 use 0.2."
MATRIX = (
    "A table of numbers as CSV (one row of W a line) or an NPY array, m x d with d ≤ m, up to "
    "1000 x 50 and of full column rank."
)
ATTACK = (
    "Adds D_a c_a* to the signal (B.1). D_a holds single-step gradient attacks on a classifier of "
    "training signals (eq. 87). Without it, this is GAN inversion."
)
TRAINING = (
    "Columns of D_a, one for each training signal. With more columns than its rank D_a has a "
    "kernel, in which c_a is free to move."
)
HIDDEN = "Neurons of the classifier ψ of eq. 87."
START = (
    "**Random**: z⁰ is normal and c_a⁰ = 0, as in the paper. **Near**: at a chosen distance from "
    "the solution, in a random direction. The theorem is local: near the solution it may hold "
    "where from far away it does not."
)
RADIUS = "How far from (z*, c_a*) the descent begins."
METHOD = (
    "**4.1** moves z, with c_a known. **4.2** moves z and c_a in turn, λ = 0. **4.3** adds "
    "λ h(c_a) and a proximal step: its minimiser is not (z*, c_a*), so what goes to zero is L - L*."
)
LAMBDA = "λ of 4.3, as a share of the smallest λ that keeps c_a at zero at the start."
STEP = (
    "**Safe**: η = 1/(2‖M‖²), M a bound on [J D_a] everywhere. One leaky layer then converges from "
    "every start. **Local**: the same with the largest [J D_a] between start and solution; quicker "
    "in deep networks, without a guarantee.\n\n**The theorem's**: an η that Theorem 3 or 6 admits, "
    "found by descending, measuring μ, ρ and ε, and descending again; the local one where none "
    "is found. Or a **number**."
)
ETA = "The step size of the theorems, on f = ‖·‖² without a half."
STEPS = "Steps at most; a run ends early once every instance has arrived."
EXAMPLES = "Descents at once, each to a signal of its own, through the same W."
SEED = "Decides W, the signals, the attacks and the starts. Same seed, same numbers."
RUN = "Descend on all instances at once. Again: pause, resume."
STEP_ONE = "One step of every instance, while the run is paused."
STOP = "End the run here and hold what there is against the theorem."
BACK = "Look at the recorded step before this one."
FORWARD = "Look at the next recorded step."
SPEED = "How fast the run goes. It begins step by step and takes more at a time as it goes on."
SCRUB = "Every recorded step. Move it once the run has paused or ended."

SUCCESS = (
    "An instance has **arrived** once its distance to (z*, c_a*) is below 10⁻⁵, with c_a measured "
    "in the row space of D_a, outside of which c_a does not change x'. The **success rate** is the "
    "share of instances that arrive within the steps allowed."
)

SUCCESS_PROXIMAL = (
    "Under 4.3 the minimiser of L = f + λh is not (z*, c_a*), so the distance stays above zero and "
    "no instance is counted as arrived. L* is the lowest L of a descent five times as long."
)

ACT_1 = """
Everything about such a problem is known, because we make it: first the weights, then z\\*, then
x' = G(z\\*) + D_a c_a\\*. So we can measure what the theorems talk about instead of assuming it.

- **G(z) = σ(Wz)** turns d numbers into m. A *Gaussian* W is the random GAN of earlier proofs. In
  the other families the rows of W are far from random, and the paper asks whether descent still
  finds z\\*.
- **The attack**: a small classifier ψ (eq. 87) is fooled by one gradient step. Such steps on
  training signals are the columns of D_a.
- **Ranks**: where rank(D_a) + d exceeds n, z and c_a can make up for one another. Then no single
  solution stands out, and μ must go to zero.
- **Assumption 1** asks for a smooth σ. A leaky ReLU has a kink, so the theorems do not cover it.
  Descent may work all the same.
"""

ACT_2 = """
Every instance takes plain gradient steps: z − η ∇_z f, and with an attack c_a − η ∇_c f, both from
the same iterate. Nothing is tuned while it runs.

- **Distance**: how far (z, c_a) is from the solution. The scale is logarithmic, so *linear
  convergence*, the paper's claim, is a straight line falling. Each instance is a thin line.
- **The theorem's bound**, where the theorem applies, is a line that no instance may cross. How far
  above the thin lines it stays shows how cautious the theorem is.
- **μ** = ‖∇f‖ / distance, B.1's formula. It is the slope of the landscape seen from the solution.
  If it stays above zero the gradient never vanishes before the solution: that is the error bound.
- **The floor**: for one leaky layer and no attack, μ ≥ 2 α² σ_min(W)² at every z, by a short
  calculation. No thin line can fall below it.
- **f**, or under 4.3 **L − L\\***: what is minimised.
- **Histogram**: all values of μ until arrival. The ticks below are those at the step looked at.

What to try: Example 15 beside Section 5.1. Noise on the rows raises μ, and the run is shorter.
"""

ACT_3 = """
Theorem 3 (and 6, with an attack) says: if σ is smooth and the step size η lies in a certain
interval, then every step multiplies the squared distance by at most a factor below 1.

- **ρ** and **−ε** are the largest and the smallest eigenvalue of the Hessian, the most and the
  least curved direction, over the segments that the proof walks. We take them at sampled points,
  so they are what was *found*: the true ones may be larger.
- The mean curvature of each segment counts too, and that is all the proof needs: the promise holds
  whatever the samples missed.
- **The interval** exists only if μ² > 32/9 ρε: the error bound must outweigh the negative
  curvature. Otherwise the roots of its ends are not real, and no η is admissible.
- **Each row is an instance.** The bar is its interval; the dot is the η that was used; the tick is
  3/(2ρ), the diamond 1/(4ε).
- **Progress a step** is 1 − factor: the right end is fast. Filled dots are observed, the worst and
  the mean; squares are promised. A promise must lie left of what is observed.
- **Sharper**: what the paper's proof gives with less waste.

When the theorem does not apply nothing is wrong: a theorem gives conditions that are enough, not
conditions that are needed.
"""

CONSTANTS = (
    "Each instance has its own: μ is the smallest on its path, ρ and ε the largest over the "
    "segments that the proof walks, until it arrives. The table shows their median, least and "
    "largest over the instances."
)
SAMPLED = (
    "ρ and ε were looked for at 5 points of each of the proof's four segments and in its mean "
    "curvature, at up to 100 steps. They are the largest found: the true ones may be larger."
)
SAMPLED_PROXIMAL = (
    "The curvature is the largest found at 5 points of each segment from one iterate to the next, "
    "at up to 100 steps: the true one may be larger."
)
LEMMA_9 = (
    "The proof rests on inequality (14): at every step the gradient has to point away from the "
    "solution by at least so much. Solid: its left side, ⟨∇f, distance⟩. Dashed: the bound that "
    "follows from η and the ρ and ε found. The space between the two is what the theorem gives "
    "away."
)
DEPENDENCE = (
    "What the theorem promises at its best step size, at the instances' median μ, ρ and ε, if one "
    "of them changed and the others stayed. Without negative curvature twice the μ makes the "
    "progress four times as large, twice the ρ a quarter. From ε = 9μ²/(32ρ) on no step size is "
    "admissible."
)
LEMMA = (
    "Lemma 14 bounds ρ and ε for one layer by norms of W and D_a. As printed it lacks a factor 2, "
    "takes a root that is too small, and subtracts the least singular value of D_a, which the "
    "zero-padded block does not have.\n\n"
    "Corrected it holds, and is loose: a bound from the matrices at each point is far tighter."
)
WDC = (
    "Earlier proofs ask that W behaves like a random matrix: the WDC with a small constant. It is "
    "a supremum over pairs of directions, so every pair is a lower bound on it. We sample pairs "
    "and climb from the best ones. Huang et al. (2021) need a constant below 1/290."
)

STUDY = {
    "figure1": """
A theorem about convergence asks for a μ above zero, and promises more the larger it is. Figure 1
asks what makes μ large. For each output dimension m, G = σ(Wz) with Gaussian weights is drawn,
attacked and inverted; μ is averaged over each path until it arrives, then over all paths.

The more outputs a GAN has for its d = 10 inputs, the better it is conditioned, and μ rises. The
paper takes this as evidence that *expansiveness* helps optimisation.

What to try: another scale of W in the sidebar. The curve moves up or down by large factors, and
still rises: trust the trend, not the numbers.
""",
    "figure3": """
The same as Figure 1 for a network of three layers with m/10 and m/5 neurons before the m outputs
(B.3), over 50 test examples. Each layer expands, as the theory of random GANs wants it.

μ rises with m here too. A deep network multiplies the weights of its layers, so the safe step size
is tiny; the local one is used, which looks at the Jacobian between start and solution.
""",
    "examples": """
The paper states one mean μ for each of these networks, whose rows are far from random. A square is
the paper's value, a dot is ours.

They differ, and have to: μ depends on the slope of the leaky ReLU, on the scale of W, on the step
size (which decides how a path is walked) and on how long a path is averaged. The paper states none
of these.

What should agree is the order: noise on the rows raises μ (15 over 5.1, and the noisy 16
over 16), and descent arrives.
""",
}
PAPER_LEAVES_OPEN = (
    "μ depends on the slope of σ, on the scale of W and on the step size. The paper states none of "
    "them, so expect its trends here, not its absolute values. All three are controls in the "
    "sidebar."
)

TRAINED_GENERATOR = "Whose solutions are planted: z* is drawn, and an attack of one block is added."

TRAINED_WHOLE = "Only the true block's columns move here. With all of Dₐ no theorem could apply:"

TRAINED = """
A picture that a trained generator made, plus attacks of one block, has a known solution. Descents
start at the distances above from it. Theorem 3 moves z alone, Theorem 6 also cₐ within the row
space of the true block.

μ is the smallest of the 30 steps of each; ρ and ε are sampled along three
of them, as in act 3, and may be larger in between.

Both need μ² above 32/9 ρε, and a step size in the interval that follows. ε is 0 where no negative
curvature was found: then every step size up to 3/(2ρ) is admitted. As a path arrives, μ falls to
its value at the solution, and the promise with it: convergence is linear, and very slow.

Strictly, the theorems also need an activation without kinks, and a trained generator's rectifiers
have them. Where none of them changes its side between path and solution, the generator is smooth
there, and the theorem applies in full.
"""
