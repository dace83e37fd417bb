"""What the page "Landscape" teaches: a short text for every control, and one for every part."""

from __future__ import annotations

SHOW = (
    "**Two dimensions**: G has two inputs, so the landscape is all there is (Figure 2). **The main "
    "page's run** and **a digit**: G has 100 inputs, and what is shown is a plane cut through them."
)
PRESETS = "One press sets the network and the starts."
OWN = "A network of your own making."
FAMILY = "Where W comes from. G(z) = σ(Wz), or several such layers (eq. 4), with two inputs z₁, z₂."
M = "Outputs of G: how many equations speak about the two unknowns."
LAYERS = "Layers L of eq. 4; the widths grow evenly from 2 to m."
ACTIVATION = (
    "σ in every layer. ReLU and leaky ReLU make f a patchwork of bowls with kinks between them; "
    "the others are smooth, as Assumption 1 asks."
)
SLOPE = "The slope of the leaky ReLU below zero. 1 is linear; near 0 the landscape flattens."
BETA = "β of softplus: log(1 + exp(βt))/β. The larger, the closer to ReLU."
NOISE = "The variance of ε_i, added to the rows of W. Example 15 uses 0.2."
SCALE = "The variance of W's entries: 1 over its outputs, 1 over its inputs, or 1."
RATE = (
    "The step size as a multiple of the safe one, 1/(2 max ‖J‖²) over the plane. At 1 and below "
    "paths slide downhill; much larger ones jump and may fly away."
)
LOG = (
    "Draws log₁₀ f: the bottom of the valley, where f falls by a factor each step, becomes visible."
)
BASINS = (
    "Sends 25 x 25 starts downhill and colours each by where it ends. Off: colour is the height."
)
START = "Where a path begins: z₁, z₂. Or click on a chart. Several: 0.5, -1; 2, 0."
RANDOM = "Adds five starts drawn evenly over the plane."
CLEAR = "Takes all paths away."
RUN = "Let the paths go, or hold them."
STEP = "One gradient step of every path, while they are held."
AGAIN = "Every path from its start again."
SPEED = "Steps a second."
SCRUB = "Looks back along the paths, once they stand."
SEED = "Decides W and z*. Same seed, same landscape."

SYNTHETIC = """
GAN inversion asks for the **z** with G(z) = x'. Here G has only two inputs, so we can see every z
at once: across and back are z₁ and z₂, and the height is **f(z) = ‖x' - G(z)‖²**, how wrong z is.
The true answer **z\\*** lies where f = 0, at the star.

- **Click anywhere** to let a ball roll: gradient descent, z - η ∇f(z), step by step. The solver
  knows only the slope under its feet.
- A **stationary point** is where the slope vanishes, so descent may stop there. With ReLU or leaky
  ReLU the plane falls into sectors in which f is a bowl, and *all* such points can be listed. A
  kink counts where its two sides do not lead the same way.
- **Basins**: 625 starts, each coloured by where its ball comes to rest.
- **Leaky ReLU, one layer**: there is no stationary point but z\\*, whatever W is, as long as its
  two columns are independent. So Figure 2 has no trap, and a path that has not arrived is slow, no
  more.
- **ReLU, several layers**: with random wide layers one bad spot is left, near **-κ z\\***, on the
  far side of the origin (Hand and Voroninski 2017). The diamond marks the prediction.

What to try: *Example 17*, where the valley is a canyon. Then switch on log₁₀ f and see the paths
creep along its floor.
"""
