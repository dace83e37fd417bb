"""What the page teaches: a short text for every control, and what the stage shows."""

from __future__ import annotations

from pages.ui.look.literal import literal
from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import CLASSES, NOUNS, SHAPES, TITLES
from red_core.data.own_datasets import base_of, is_style, own_dataset
from red_core.recording.slice_plane import has_latent
from red_core.run.settings import RunSettings

DATASET = (
    "What the images show. Everything else stays as it is: attack, solver and seed. Each data set "
    "has a classifier ψ, a generator G and a dictionary D_a of its own."
)
SOURCE = (
    "Where the image x comes from. **Gallery**: {gallery}. {own}: your own. **Generated**: "
    "x' = G(z\\*) + D_a c_a\\* with both parts known, the only case in which the error bound μ can "
    "be computed exactly (B.1)."
)
_GALLERY = "{many} of {title} that no training here has seen ({origin})"
_GALLERIES = {
    "cifar10": "photographs, then pictures that G draws, or in their place the test set once you "
    "have downloaded it"
}
PHOTOGRAPHS = "Photographs that no training here has seen. Licence: {licence}."
DRAWN_BY_G = "These pictures are drawn by our generator; they are no photographs."
MADE_BY_G = (
    f"{DRAWN_BY_G} {{title}} may not be bundled: download it, and its test images take their place."
)
ON_THE_MAIN_PAGE = f"{DRAWN_BY_G} The main page offers {{title}}'s own."
DOWNLOAD = (
    "Fetches {title} ({megabytes} MB) from the address that torchvision names, into {root}, and "
    "checks it (MD5 {md5}). Unpacked it takes about as much room again. Without it everything "
    "works, on a few photographs and on pictures that G draws."
)
DOWNLOADED = "{title} is in {root}. The gallery shows its test images now."
DAMAGED = (
    "The files of {title} in {root} are damaged or incomplete, and are not used: download them "
    "again."
)
CANCEL = "Stop fetching. What has arrived is kept, and the next try goes on from there."
LABEL = (
    "The class of your image, if you know it: the attack then moves away from it, and the page "
    "says which answers are right. Untold, the attack moves away from the class that ψ sees."
)
CLASS = "The class of the images shown below."
INDEX = "The image's number among those of its kind; links and the command line use it too."
_ARRAY = (
    "A file of the data set's own size and background is not cleaned, and an NPZ or NPY array of "
    "{shape} numbers in [0, 1] (or bytes), one image or many, is taken as it is: an image that is "
    "attacked already can be brought in."
)
AS_IS = (
    "Take the pixels as the file stores them: nothing is inverted, scaled, turned or converted. "
    "The file must have the data set's own size."
)
WHICH = "The page undoes one image at a time; `python -m red_core undo FILE...` undoes all of them."
ATTACKED_ALREADY = (
    "An attacked image is undone as it is. A clean one is attacked first, with the attack below. "
    "The answer begins with a guess: change it where you know better."
)
_GREY_ARRAY = _ARRAY.format(shape="28 x 28")
UPLOAD = {
    "mnist": "PNG, JPEG or WebP is centred, inverted if its background is bright, and scaled as "
    "MNIST's digits were. " + _GREY_ARRAY,
    "fashion": "PNG, JPEG or WebP of one article on a plain background, bright or dark. It is "
    "trimmed, its longest edge scaled to 28 pixels, sharpened and negated, as Fashion-MNIST's "
    "photographs were. " + _GREY_ARRAY,
    "cifar10": "PNG, JPEG or WebP of any size. The square in the middle is cut out and scaled to "
    "32 x 32 pixels; colours stay, and what is transparent becomes white. "
    + _ARRAY.format(shape="3 x 32 x 32 or 32 x 32 x 3"),
}
WANTED = {
    "mnist": "Upload a picture of one digit. Until then the present image stays.",
    "fashion": "Upload a picture of one article. Until then the present image stays.",
    "cifar10": "Upload a photograph of an animal or a vehicle that fills it. Until then the "
    "present image stays.",
}
DRAWN = {  # nobody draws a photograph: CIFAR-10 has no pen
    "mnist": "Draw one digit, large. Until then the present image stays.",
    "fashion": "Draw one article, large, and fill it in. Fashion-MNIST holds photographs, so a "
    "sketch is read less surely. Until then the present image stays.",
}
PAD_EMPTY = "The pad is empty. The last drawing stays the image until you draw another."
ATTACK = (
    "The norm that limits the perturbation δ. **ℓ∞** moves every pixel a little, **ℓ2** spreads "
    "its energy over shapes, **ℓ1** changes few pixels much. The solver is not told which."
)
EPS = "The budget: ‖δ‖ ≤ ε in the chosen norm, with pixels in [0, 1]. The paper uses {paper:g}."
STEP_SIZE = "How far each step of projected gradient descent goes. The paper uses {paper:g}."
ATTACK_STEPS = (
    "Steps of projected gradient descent (PGD). Fewer make a weaker attack. The paper uses {paper}."
)
TARGET = (
    "Untargeted attacks leave the true class by whichever way is easiest; a targeted one heads "
    "for the class you name, which needs more budget."
)
_GREY_PRESETS = (
    "**best**: several starts carried through the alternation, a small λ, readers trained on "
    "reconstructions. **paper**: Algorithm 1 with its misprints corrected and the numbers of B.2. "
    "**paper-frozen**: the same with z frozen after the start, as in the published code. "
    "**paper-published**: paper-frozen with the published start, gradient descent with momentum "
    "from the 10 nearest of 100 draws."
)
PRESETS = {
    "mnist": _GREY_PRESETS,
    "fashion": _GREY_PRESETS,
    "cifar10": (
        "**best**: from the encoder's guess, z pulled towards where it is likely, the attack's "
        "code late, readers trained on reconstructions; seconds. **paper**: starts, as the "
        "published code, from the mean w of a class (the nearest); one w for all layers of G; "
        "150 Defense-GAN steps and 500 of Algorithm 1. **paper-frozen**: the same with w frozen "
        "after the start.\n\n"
        "**bsd-dp-paper**: B.8, a diffusion model in the place of G: D(x') and steps on c_a in "
        "turn; its first round is DiffPure. **bsd-dp**: the same, "
        "purifying x' - D_a c_a in every round."
    ),
}
GENERATOR = (
    "**own**: trained here with an inversion term. **dcgan**: the paper's kind (B.2), a plain "
    "DCGAN on MNIST and a Wasserstein GAN on Fashion-MNIST."
)
SEED = "Decides every random start, of the attack and of the solver. Same seed, same iterates."
DEVICE = "Where torch computes. auto takes cuda, then mps, then cpu."
OPTIONS = {
    "restarts": (
        "Random starts",
        "Random z⁰ that descend ‖x' - G(z)‖² before the alternation (Defense-GAN uses 10).",
    ),
    "start_draws": (
        "Start draws",
        "Random z⁰ of which those nearest to x' become the random starts; 0 takes the first ones. "
        "The published code draws 100.",
    ),
    "encoder_start": (
        "Encoder start",
        "Whether an encoder's guess of z is one more start.",
    ),
    "mean_start": (
        "Mean start",
        "Whether the middle of what is likely (the mean w of all classes) is one more start.",
    ),
    "class_start": (
        "Class start",
        "Whether the mean w of one class is one more start: of the class whose own G(w) is nearest "
        "to x' by the start's loss, all of them compared.",
    ),
    "start_steps": ("Start steps", "Defense-GAN steps of every start, with c_a = 0."),
    "start_step": ("Start z-step", "How z moves during the start: Adam, or plain gradient."),
    "start_rate": ("Start rate", "The step size on z during the start."),
    "start_momentum": (
        "Start momentum",
        "Heavy-ball momentum of the start's plain gradient steps, below 1; Adam takes none. "
        "Defense-GAN's code uses 0.7.",
    ),
    "start_loss": (
        "Start loss",
        "What the start descends: squared is ½‖x' - G(z)‖²; perceptual compares feature maps of ψ, "
        "each place's channels scaled to length 1, as LPIPS does.",
    ),
    "start_maps": (
        "Maps compared",
        "How many of ψ's three groups of feature maps a perceptual start compares, from the first. "
        "An attack moves the first least.",
    ),
    "start_l1_weight": (
        "Weight of the ℓ1 distance",
        "Of the mean of |x' - G(z)| beside the perceptual distance; the published code has 0.5.",
    ),
    "one_w": (
        "One w",
        "Whether w moves as one, the same in every layer of G, or each layer's by itself (W+).",
    ),
    "carry": (
        "Starts carried",
        "How many starts, lowest ‖x' - G(z)‖ first, enter the alternation. The paper carries one.",
    ),
    "halve_at": (
        "Halve at",
        "Alternation steps after which the better half of the starts is kept, comma-separated.",
    ),
    "steps": ("Alternation steps", "Steps in which z and c_a move in turn (B.2 uses 500)."),
    "signal_step": (
        "z-step",
        "How z moves in the alternation. Algorithm 1 takes a plain gradient step; frozen leaves z "
        "where the start put it.",
    ),
    "signal_rate": ("z rate", "The step size on z in the alternation; the paper leaves it open."),
    "acceleration": (
        "Acceleration of c_a",
        "nesterov as in B.2; restart drops the momentum whenever it points uphill; none is "
        "Algorithm 1 as printed.",
    ),
    "lambda_fraction": (
        "λ / λ_max",
        "The sparsity weight as a share of the smallest λ that keeps c_a at zero. B.2 uses 0.35; "
        "smaller lets more blocks in.",
    ),
    "lambda_every_step": (
        "λ at every step",
        "Whether λ is that share of λ_max of the present x' - G(z^k) at every step, as in the "
        "published code, or stays as it was when the alternation began.",
    ),
    "c_a_after_z": (
        "c_a after z",
        "Whether each step on c_a sees the z that was just found, or, as Algorithm 1 is printed, "
        "both steps start from the same iterate.",
    ),
    "latent_weight": (
        "Tether of z",
        "w of a term w/2 ‖z - anchor‖² that keeps z near where G was trained, or near the "
        "encoder's guess. 0 is the paper's eq. 5.",
    ),
    "feature_weight": (
        "Weight of features",
        "u of a term u/2 ‖φ(x') - φ(G(z))‖² with φ the first feature maps of ψ, which an attack "
        "moves least. 0: none.",
    ),
    "noise": (
        "Noise σ",
        "The deviation of the noise that drowns the attack, on the [-1, 1] scale. More drowns more "
        "of the attack and more of the picture.",
    ),
    "noise_levels": (
        "Noise levels",
        "Steps of the way back from the noise; 1 takes the denoiser's first guess.",
    ),
    "noise_stochastic": (
        "Ancestral sampling",
        "Take fresh noise at every level on the way back, instead of following the probability "
        "flow. With one level there is no way to choose.",
    ),
    "noise_draws": ("Draws", "Purifications a round, each from its own noise, that are averaged."),
    "remainder": (
        "Purify what c_a leaves",
        "Purify x' - D_a c_a instead of x', which is what B.8 writes.",
    ),
    "inner": ("Inner steps", "Proximal steps on c_a for every step on z."),
    "tolerance": (
        "Tolerance",
        "Stop once the relative duality gap and the relative step of z are below it; 0 runs all "
        "steps.",
    ),
}
OPTION_LABELS = {name: label for name, (label, _) in OPTIONS.items()}

# How a perturbation is drawn, by the channels of its image (`pictures.signed`).
SIGNED = {
    1: "in a diverging scale: orange darkens, purple brightens, the middle colour is zero",
    3: "on mid-grey, which is zero: red, green and blue are each brighter where δ adds to them, "
    "darker where it takes away",
}

ATTACKED = """
A classifier **ψ** reads {many} with few errors. An attack adds a perturbation **δ**, chosen by
following ψ's gradient uphill; a person still reads the same {one}. **x** is the clean image,
**x' = x + δ** the attacked one, and only x' is handed on. δ is drawn {signed}.

Try the same {one} under ℓ∞, ℓ2 and ℓ1: the three patterns look different, and that difference is
what the method recognises.
"""

UNDOING = """
The method sees x' alone and looks for a **z** and a **c_a** with x' ≈ G(z) + D_a c_a. **G** is a
generator trained on clean {many}: whatever z, G(z) looks like one. **D_a** holds {columns}
for each class and attack type, in {blocks} blocks, and **c_a** says how much of each is used.

- First a start is found with G alone, c_a = 0 (Defense-GAN). Then both move in every step: z along
  the gradient, c_a by a proximal step that switches whole blocks off (Algorithm 1).
- **The recovered picture**: G(z) at the steps where it has changed most, and what ψ reads in it
  (Figure 4).
- **How much of each attack is used**: ‖c_a[i][j]‖. Attacks are rows, classes are columns; one
  bright cell means that one kind of attack, on one class, explains the rest.
- **Loss, duality gap, μ**: the objective; a bound on how far c_a's objective is above its optimum
  while z is held; and the error bound of Assumption 5.
- **μ** is exact where (z\\*, c_a\\*) is known. For a real image the norm of the
  proximal-gradient step is drawn while the run goes on, and afterwards μ to the run's own
  last iterate, which is not Assumption 5's.
"""

W_PLUS = """
On CIFAR-10 G is a style generator and **z** a point of **W+**, one w for each of its layers
(Section 5.2.2): so many numbers that G can draw the perturbation too, if z moves far enough.

The preset `best` therefore begins at what an encoder makes of x' (or at the mean w of all classes,
if that is nearer), pulls z towards it, and stops early; c_a takes what is left over.
"""

WITH_DIFFUSION = """
This preset puts a diffusion model in the place of G (B.8). There is no z: every round adds noise
that drowns the attack, takes it out again, and lets c_a explain what was lost. The first round,
with c_a = 0, is *DiffPure*.

As the paper writes it every round purifies x' itself
(`bsd-dp-paper`); `bsd-dp` purifies x' - D_a c_a, what the attack's code leaves.
"""

VERDICT = """
At the end x' is split into three parts that add up to it: **G(z)**, **D_a c_a**, and the **rest**.

- *Which {one}?* A classifier reads G(z). The paper lets the attacked ψ read it (BSD-GAN); the
  preset `best` asks a second classifier, trained on recovered pictures; on CIFAR-10 it reads x' and
  a denoised x' as well, and the verdict weighs its three answers.
- *Which attack?* The paper compares ‖x' - G(z) - D_a[i][j] c_a[i][j]‖ over the {number} blocks
  and takes the attack of the smallest (BSD-GAN-AD). `best` weighs these with the shape of the rest,
  and says *none of the known attacks* where it is stranger than in 199 of 200 runs on known ones.
- The bars say how sure each answer is. A close second is a warning.
"""

OWN_VERDICT = """
At the end x' is split into three parts that add up to it: **G(z)**, **D_a c_a**, and the **rest**.
A project has no networks that were trained on recovered pictures, so under every preset the paper's
rules answer.

- *Which {one}?* The attacked classifier ψ reads G(z) (BSD-GAN).
- *Which attack?* The attack whose block leaves the smallest ‖x' - G(z) - D_a[i][j] c_a[i][j]‖
  of the {number} blocks (BSD-GAN-AD).
- The bars say how sure each answer is. A close second is a warning.
"""
COLUMNS, OWN_COLUMNS = "200 training attacks", "training attacks on your classifier"


def upload(dataset: str) -> str:
    """What is done to an uploaded picture."""
    base = base_of(dataset)
    if base is not None:
        return UPLOAD[base]
    channels, height, width = SHAPES[dataset]
    shape = f"{channels} x {height} x {width}" if channels > 1 else f"{height} x {width}"
    return (
        "PNG, JPEG or WebP of any size. The middle is cut out in the data set's proportions and "
        f"scaled to {width} x {height} pixels. " + _ARRAY.format(shape=shape)
    )


def wanted(dataset: str) -> str:
    """What to upload, while nothing has been."""
    base = base_of(dataset)
    asked = f"Upload a {NOUNS[dataset].one} like those of the gallery. "
    return asked + "Until then the present image stays." if base is None else WANTED[base]


def presets(dataset: str) -> str:
    """What the presets of a data set do."""
    own = own_dataset(dataset)
    if own is None:
        return PRESETS[dataset]
    starts = "an encoder's guess and random starts" if own.encoded else "several starts"
    where = "W+" if own.style else "z"
    return (
        f"**best**: {starts} in {where} carried through the alternation, a small λ. **paper**: "
        "Algorithm 1 with its misprints corrected and the numbers of B.2. **paper-frozen**: the "
        "same with z frozen after the start. Under each the paper's rules answer: a project has "
        "no readers of its own."
    )


def about(text: str, dataset: str) -> str:
    """A text with {one}, {many}, {origin}, {title} and the like filled in for a data set."""
    noun = NOUNS[dataset]
    words = {
        "one": noun.one,
        "many": noun.many,
        "origin": noun.origin,
        "title": literal(TITLES[dataset]),
        "own": "**Upload** and **Draw**" if base_of(dataset) in DRAWN else "**Upload**",
        "blocks": f"{len(CLASSES[dataset])} x {len(ATTACKS)}",
        "number": str(len(CLASSES[dataset]) * len(ATTACKS)),
        "columns": COLUMNS if own_dataset(dataset) is None else OWN_COLUMNS,
        "signed": SIGNED[SHAPES[dataset][0]],
    }
    gallery = _GALLERIES.get(base_of(dataset) or "", _GALLERY)
    return text.format(gallery=gallery.format(**words), **words)


def explained(settings: RunSettings) -> str:
    """What the stage shows, for a run of these settings."""
    parts = [ATTACKED, UNDOING, VERDICT if own_dataset(settings.dataset) is None else OWN_VERDICT]
    if not has_latent(settings):
        parts[1] += WITH_DIFFUSION
    elif is_style(settings.dataset):
        parts[1] += W_PLUS
    return "\n".join(about(part, settings.dataset) for part in parts)


def scale(span: str, channels: int) -> str:
    """The scale of a signed picture in its caption; span: "±0.1"; channels: of the image."""
    return f"scale {span}" if channels == 1 else f"{span} around grey"
