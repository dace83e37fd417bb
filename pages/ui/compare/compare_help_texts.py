"""What the page "Compare" teaches: a short text for every control, every method and every part."""

from __future__ import annotations

from red_core.data.own_datasets import own_dataset

LINK = "Runs any of the tables' methods on this x', side by side."
METHODS = (
    "Any subset. The order is that of the tables' columns: first what reads x' as it is, then "
    "what takes it apart."
)
SETS = "A group of methods at once."
RUN = "Runs the chosen methods one after another on the same x'. What is known stays."
RUN_AGAIN = "All of them once more. The answers are the same: everything random has a seed."
STOP = "Ends the method at work and those after it. What was found stays."
SCRUB = (
    "Moves every iterative method to the same share of its own steps. What ψ reads in the frame "
    "stands under it."
)
SWEEP = (
    "Crafts the attack at nine strengths, from none to twice the paper's ε, with the same seed, "
    "and lets the chosen methods answer all of them."
)
DATASET = "Which data set, and so which trained parts."
CLASS = "The class of the images shown below. They are no training images."
ATTACK = "The norm in which the attack is small. None: a clean image, which should be left alone."
EPS = "The attack's budget: the norm of δ is at most ε. The paper's is {paper:g}."
STEP_SIZE = "The size of one PGD step. The paper's is {paper:g}."
STEPS = "PGD steps. The paper's: {paper}."
TARGET = "The class that ψ should see; any other class but the true one is easier."
SEED = "Decides everything random: the attack's start and the methods' starts."
DEVICE = "Where the methods compute. auto takes a GPU where there is one."
TAKE = "Shows the image that stands on the main page now."

BY_G = (
    "defense-gan", "bsd-gan-paper", "bsd-gan-paper-smooth", "bsd-gan-frozen", "bsd-gan-dcgan",
    "bsd-gan-published", "bsd-gan-best", "bsd-gan-best-smooth",
)  # fmt: skip

ABOUT = {
    "cnn": "ψ itself reads x'. The attack was made for it.",
    "m-inf": "A network trained on ℓ∞ attacks on itself.",
    "m-2": "A network trained on ℓ2 attacks on itself.",
    "m-1": "A network trained on ℓ1 attacks on itself.",
    "msd": "A network trained on the steepest of the three attacks.",
    "defense-gan": "The z whose G(z) is nearest to x'; ψ reads G(z).",
    "sbsc": "No generator: x' = D_s c_s + D_a c_a, with blocks of training images.",
    "bsd-gan-paper": "Algorithm 1 with the paper's numbers and rules.",
    "bsd-gan-paper-smooth": "The same with softplus in G, as the theory asks.",
    "bsd-gan-frozen": "z stays where Defense-GAN left it; only c_a moves.",
    "bsd-gan-dcgan": "Algorithm 1 with the paper's numbers and the paper's kind of generator.",
    "bsd-gan-published": "The same with the published code's start; only c_a moves after it.",
    "bsd-gan-best": "Algorithm 1, many starts, our reader and evidence.",
    "bsd-gan-best-smooth": "The same with softplus in G.",
    "dp": "DiffPure: noise drowns the attack, a diffusion model takes it out again; ψ reads D(x').",
    "dp-fixed": "The same with one noise for every image, which an attacker could know.",
    "dp-one": "The same, purified once.",
    "dp-vote": "The same, purified several times; the mean of the probabilities decides.",
    "bsd-dp": "B.8's alternation, purifying what the attack's code leaves of x'.",
    "bsd-dp-paper": "B.8 as it is written: D(x') and steps on c_a in turn.",
    "type-cnn": "A small network trained to tell attack types from x'.",
    "norm-ratio": "A rule on the residual's norms: flat, dense or sparse.",
}
# On a project, which has no readers: the paper's rules answer.
ABOUT_ON_A_PROJECT = {
    "cnn": "Your classifier ψ itself reads x'. The attack was made for it.",
    "bsd-gan-best": "Algorithm 1, many starts; ψ reads G(z), the blocks name the attack.",
    "bsd-dp": "B.8's alternation, purifying what the attack's code leaves of x'; ψ reads D(x').",
}
ON_A_PROJECT = """
This is a **project**: its ψ is somebody's own, and no other network was trained for it. So there
are no M networks, no attack-type competitors and no second classifier, and under every preset the
paper's rules answer: ψ reads G(z), and the smallest block residual names the attack.
"""


def about_method(key: str, dataset: str) -> str:
    """What a method is, in a line, on a data set."""
    own = {} if own_dataset(dataset) is None else ABOUT_ON_A_PROJECT
    return own.get(key, ABOUT.get(key, ""))


READINGS = {  # signal, attack
    "rules": ("by ψ", "by blocks"),
    "reader": ("by our second classifier", ""),
}

METHODS_TAUGHT = """
Every card gets **the same x'** and answers two questions: which class did the clean image have,
and which attack was added? What stands beside an answer is whether it is right.

- **CNN** is ψ itself, the network that the attack was made for. The four **M** networks were
  trained on attacks; they read x' as it is and never say what was done to it.
- **Defense-GAN** looks for the z whose **G(z)** is nearest to x'. G can draw clean images only, so
  what it finds is free of the attack. But nothing tells it which part of x' is attack: if δ is
  large, the nearest clean image may be that of another class.
- **SBSC** explains both parts, x' = D_s c_s + D_a c_a, with training images and training attacks.
- **BSD-GAN** joins the two: G(z) for the signal, D_a c_a for the attack, found together. The two
  pictures on its card sum up to x', but for what neither explains. *By ψ* and *by blocks* are the
  paper's rules on the same run: ψ reads G(z), and the smallest block residual names the attack.
- **The competitors** only name the attack; the rest is *not its task*.

Times are computing times on this machine for one image, without the waiting in line. They are
longer while others compute.

What to try: play all runs at once and watch what ψ reads in G(z) from frame to frame. Then add a
second attack type and see who notices.
"""

STRENGTH_TAUGHT = """
The same image, the same seed, the attack from nothing to twice the paper's ε. Each row is a
method, each cell its answer at one strength: the class it reads, on a **dark** cell where that is
right and on a **light** one where it is wrong.

The **disc** below has the colour of the attack
that the method names; it is full where that is right, a ring where it is wrong.

- A method **breaks** at the first strength where its class is wrong. It may be right again later:
  an attack at another strength is another picture.
- At strength 0 there is no attack, and *no attack* is the right answer.
- A tiny attack is hard to name, a huge one easy; the class goes the other way.

Click a strength to take it over for the cards below.
"""
NO_SWEEP = {
    "none": "There is no attack to make stronger: choose one in the sidebar.",
    "realizable": (
        "This x' was made by the generator, not crafted, so it has no ε. Choose an example image "
        "in the sidebar."
    ),
}
