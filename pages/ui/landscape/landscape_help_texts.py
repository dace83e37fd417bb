"""What the page "Landscape" teaches: a short text for every control, and one for every part."""

from __future__ import annotations

SHOW = (
    "**Two dimensions**: G has two inputs, so the landscape is all there is (Figure 2). **An "
    "image** and **the main page's run**: G has 100 inputs, and what is shown is a plane cut "
    "through them."
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
BALLS = (
    "Corollary 4 excludes starts in two balls: around z* and around -κ z*. Their radii grow with "
    "the constant of the Weight Distribution Condition. The paper's two absolute constants are "
    "unknown and count as 1; larger ones make the balls larger still."
)
PL = """
The **PL condition** asks for ‖∇f‖² ≥ 2μ f at every z, with one μ above zero: wherever the loss is
not zero, the slope is not either. The picture shows ‖∇f‖²/(2f), the largest μ that a point allows;
the deeper the colour, the smaller it is.

Where descent can stop at a loss above zero, no μ is left, and the condition fails as a whole. Near
z\\* it may hold all the same. So the paper's conditions are local: they ask along the path only.
"""
START = "Where a path begins: z₁, z₂. Or click on a chart. Several: 0.5, -1; 2, 0."
RANDOM = "Adds five starts drawn evenly over the plane."
CLEAR = "Takes all paths away."
RUN = "Let the paths go, or pause them."
STEP = "One gradient step of every path, while they are paused."
AGAIN = "Every path from its start again."
SPEED = "Steps a second."
SCRUB = "Looks back along the paths, once they are paused."
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

PLANE = (
    "**PCA**: the two directions in which the path varies most. **Hessian**: the steepest and the "
    "flattest direction at its end. **z* - z⁰**: from its start to its end. **Random**: for "
    "comparison; in 100 dimensions it hardly shows the path."
)
DATASET = "What the image shows. Each data set has a generator G of its own."
IMAGE = "An image of the gallery, which is no training image. The solver is not told what it is."
KIND = "The attack on it, with the paper's numbers."
MAIN_RUN = "The slice follows the run of the main page, as far as it has come."
NO_RUN = (
    "There is no run yet. Start one on the main page and come back, or choose an image here: its "
    "run takes a second or two."
)
BACK = "The iterate before."
FORWARD = "The next iterate."
ITERATE = "Which iterate is looked at: c_a is held there, and the picture shows its G(z)."

SLICE = """
The latent space has 100 dimensions; a screen has two. So we cut: a plane through the space, and
over it the height **f(z) = ‖x' - G(z) - D_a c_a‖²**. Move over a chart: the picture shows **G(z)**
at that point, so you see what each place of the landscape looks like.

- **The path** is the alternation: each step moves z, and c_a too. It is drawn on the surface; the
  iterates themselves lie a little off the plane, and the chart of distances says how far.
- **c_a is held** at the iterate looked at, because f needs some c_a. Move the slider: the landscape
  itself changes, since what G(z) has to reach is **x' - D_a c_a**, and c_a learns. A path need not
  look downhill on the landscape of another step.
- **How much is shown**: the percentages say which part of the path's movement lies in the plane. A
  random walk looks flat too, so its numbers stand beside them.
- **z\\*** is not known for a real image. The last iterate stands in for it.
- The preset `best` adds a pull of z towards a likely place, its *tether*. It is part of the
  height.

What to try: the plane of the *Hessian*. One direction is steep, the other flat, and the path
hardly moves in either: it goes where it is neither.
"""

NO_LATENT = "This run has a diffusion model in the place of G: there is no latent space to slice."
SLICE_PLANE_LATER = "It appears when the alternation begins."
SLICE_PLANE = "When it is paused or has ended, click a point to look at it."
SLICE_PLANE_HELP = (
    "A plane through the latent space, and over it f(z) = ‖x' - G(z) - D_a c_a‖² with c_a as it is "
    "at this step: as c_a learns the attack, the landscape itself changes. The deeper the colour, "
    "the lower f is. The plane is chosen before the path is known, and stays."
)
CUT = "The page Landscape cuts this run along PCA of its path, Hessian directions or z* - z⁰."

ACT_2 = """- **Landscape**: a plane through the 100 dimensions of z. The shade is f, how far G(z) is
  from x' - D_a c_a, strong where it is near; the line is the path of z^k.
- At first c_a is zero, and the valley lies where G copies the attack too. As c_a takes the attack
  over, the valley moves, and z follows.
"""
