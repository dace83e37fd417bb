"""What the page "Tables" teaches: a short text for every control, and one for every part."""

from __future__ import annotations

import math

from red_core.data.datasets import SHAPES

DATASET = (
    "The images that were attacked. The paper's Tables 1 and 4 are MNIST, Table 5 is Fashion, "
    "Tables 2 and 6 are CIFAR-10."
)
TABLE = (
    "**1**, **2** and **5**: every method beside every other. **4**: a smooth G beside one with "
    "kinks. **6**: a diffusion model in the place of G."
)
METHOD = "Whose answers the matrices count. A click on a figure above chooses it, too."
ATTACK = "Which attack the images were given: the paper's settings, or none."
BLOCK = (
    "**On ψ**: all methods see the same images, crafted through the weights of the undefended "
    "classifier. "
    "**White-box**: each network is attacked through its own weights; methods without a network of "
    "their own are attacked through ψ."
)
IMAGES = (
    "**Official test set**: what the tables state. Its images are not part of this project; they "
    "can be looked at where RED_DATA names a folder that holds them. **Bundled examples**: a few "
    "hundred held-out images that are always at hand, measured the same way."
)
JSON = "The table with every figure, its interval, its n, and what made it."
MARKDOWN = "The table as in docs/results.md."
READ = (
    "Large: ours, in per cent. Beside it, slanted: what the paper prints. Below: Wilson's 95% "
    "interval, and n where it differs. **Bold**: the highest of its column. Click a figure to see "
    "its confusion matrices."
)
READ_DIFFERENCES = (
    "Large: ours, without smoothing less with it, in percentage points. Beside it, slanted: what "
    "the paper prints. Below: the 95% interval of the paired difference, and n where it differs."
)
THROUGH_PSI = "\\* no network of its own to attack, so the attack went through ψ."
CLICK = "Click a cell to see its images."
OPENS_OFFICIAL = (
    "The main page's gallery holds the bundled examples, so a test image opens there as one of "
    "your own, with its class and the same random starts."
)
OPENS_ON_PSI = "There the attack is made on ψ."
NO_CELL = "No cell is chosen yet."

READ_ASSUMPTION = (
    "Large: the mean relative residual of attacks on held-out images. Beside it, slanted: on "
    "random subspaces of the same dimension. The smaller, the more of δ lies in the span."
)

READ_STARTS = (
    "The first picture: how many inversions end right. The second: in which class they end. A "
    "cell under the pointer tells its counts."
)

READ_UNKNOWN = (
    "In per cent, with Wilson's 95% interval. Answer right: unknown, or the known attack whose "
    "budget the perturbation keeps."
)

TABLES = """
A classifier ψ is attacked: every test image is moved within the budget of one norm until ψ errs.
Then each method gets the attacked image alone and answers **which class** it was, and, where it
can, **which attack** was made.

- **CNN** is ψ without any defence. **M∞, M2, M1** and **MSD** are networks trained on attacks.
  **SBSC** and **SBSAD** look for the image in a union of subspaces. **BSD-GAN** and
  **BSD-GAN-AD** are the paper's own: Algorithm 1, read by ψ and by the block residuals.
- The **first block** attacks ψ: all methods see the same images. It asks how well an attack on one
  network is undone. It says little about a network that was not attacked.
- The **second block** attacks every network through its own weights. This is how adversarial
  training is usually quoted.
- An **interval** says which true shares fit the count. Where two of them overlap widely, the order
  of two methods is not settled by these images.
- The **mean** is over the three attacks, without the clean images; **with clean** counts these too,
  so that who calls every image attacked does not win. All of it hangs on the same
  images, and its interval knows that.
"""

MATRICES = """
A row is what is true, a column what the method said. What is right lies on the diagonal.

- A cell's colour grows with the square root of its share of the row, so that even one image of a
  hundred is seen, and means the same in every matrix.
- On the left each colour but the signal's grey is a mistake that is left under this attack. Look
  for pairs that are confused both ways: 4 and 9, shirt and T-shirt.
- On the right a column has its answer's colour. ℓ2 and ℓ1 are hard to tell apart, here as in the
  paper.

What to try: click a cell, choose an image, and open it on the main page to watch it go wrong.
"""

ASSUMPTION = """
Section 3 rests on an observation about networks with piecewise linear activations: an attack on a
test image is a linear combination of attacks on training images. So δ should lie in the span of
the dictionary's own block, the one of its class and its attack.

- The **relative residual** is the part of δ that the span leaves over: ‖δ - Pδ‖ / ‖δ‖. At 0 the
  span explains all of it, at 1 nothing.
- 200 columns span {share:.0%} of an image's {pixels} dimensions, whatever they are made of. So
  each span stands beside a **random one** of its own dimension, and beside as many columns of the
  **other attacks**: only what it explains beyond these speaks for the assumption.
- Where the spans of its own attack and of the others explain δ alike, block residuals can hardly
  name the attack.
"""

COMPARE_BLOCKS = (
    "Measures the angles between the spans of all pairs of blocks of D_a, which takes about ten "
    "seconds. Others may compute meanwhile."
)
ANGLES = """
Every block of D_a spans a subspace: the attacks it can explain. Two subspaces that come close
explain the same attacks, and then no rule can name the type.

- **The picture**: a row and a column for each block, grouped by attack, within it by class. The
  colour is half the sine of the **smallest principal angle**, pale where two spans nearly share a
  direction. Off the three squares on the diagonal the types differ.
- **The margin**: half the sine of the smallest angle to a block of another type. If the block of
  the truth leaves over less than that share of what it explains of δ, the nearest span has the
  right type, whatever δ is. That is enough, not needed: it is for the worst δ.
- **Coherence**: the largest cosine between two single columns.

The part above says how much a block really leaves over: far more than the margin. So nothing is
sure by geometry alone, and what decides in practice is the typical attack, not the worst.
"""

STARTS = """
The generator of these images takes a class, so an inversion in W+ has to begin in one. The paper
begins in a random class and observes that the inversion "usually converges to an image of the
correct class regardless of the class of the initialization", which suggests a **benign landscape**.

Here this is counted. Every image is inverted from the mean w of each class in turn, without a pull
back to it, and ψ reads the G(w) where the inversion ends.

- **First picture**: a row is the class of the start, a column the class of the image. If the start
  did not matter, all rows would look alike. A dark diagonal alone would mean that only those end
  right that began right.
- **Second picture**: the same inversions by the class that ψ reads at the end. Those that stay
  where they began lie on the diagonal, in a colour of their own, together with those that belong
  there. If all ended right, every row would show how many of the images are of each class.
- **The frames** show what ψ reads in the start's own G(w), before any step. A mean w is no picture
  of its class, and ψ may read another one there. Where the frame lies beside the diagonal, an
  inversion that hardly moves ends in the frame: look for dark frames, too.
- ψ errs now and then on the images themselves, so not even a perfect inversion ends right always.
- All starts share the same images, and the interval knows that.
"""

RANDOM_STARTS = """
An inversion begins at a random z, whose G(z) may show any class. The paper observes (B.7) that it
ends in the right class whatever class the first image shows, which suggests a **benign landscape**.

Here this is counted. Every image is inverted once, with preset `paper` and a single random z
(the preset itself takes the best of ten). ψ reads the first G(z) and the last.

- **First picture**: a row is the class of the first G(z), a column the class of the image. If the
  start did not matter, all rows would look alike. An empty cell is a pair that no inversion had.
- **Second picture**: the same inversions by the class that ψ reads at the end. Those that stay
  where they began lie on the diagonal, in a colour of their own, together with those that belong
  there. If all ended right, every row would show how many of its images are of each class.
- ψ errs now and then on the images themselves, so not even a perfect inversion ends right always.
"""

TRADEOFF = """
DiffPure adds noise of deviation σ to x' and lets a diffusion model D take it out again. The noise
drowns the attack, and with it what makes the image its class. B.8 leaves this trade-off for future
work; here it is measured on held-out training images.

- **Above**: the share read right over σ. One line style is one way back from the noise: the
  **first guess** of D, the **flow** (deterministic, step by step), or **ancestral** sampling, which
  takes fresh noise at every step.
- **Below**: how far D(x') lies from x', the length of the difference of the two images. A large
  one leaves little for D_a c_a to explain.
- Several purifications of one image, each from its own noise, can be combined: their **mean**, or a
  **vote**, where the classifier's probabilities are averaged.
- The **diamond** is what the rule chooses: clean images and the three attacks count alike. There is
  one for each classifier, since what blinds ψ need not blind the other.
"""

UNKNOWN = """
The dictionary, the second classifier and the evidence know three kinds of attack, made on one
network. What if another one comes?

- **Class read right** is what the defence is for: the share of images whose class survives.
- The verdict may answer **unknown**: none of the known attacks. The threshold is set on runs that
  it has not learned from, so that at most a stated share of known attacks is called unknown.
- An answer counts as **right** where it is "unknown", or names the known attack whose budget the
  perturbation keeps: FGSM is an l-inf attack too. On known attacks only their own name is right.
- **Noise** is no attack at all. Whoever sees an attack in it would see one in every bad camera.
- An **adaptive** attack knows the defence: it takes its gradient through the reconstruction (BPDA)
  and averages over random starts (EOT). A diffusion model can also be attacked through its own
  gradient; with **fixed noise** the attacker knows the noise as well. A defence of this kind
  is only as good as what it does here.
"""


def assumption(dataset: str) -> str:
    """ASSUMPTION for a data set's images."""
    pixels = math.prod(SHAPES[dataset])
    return ASSUMPTION.format(share=200 / pixels, pixels=pixels)
