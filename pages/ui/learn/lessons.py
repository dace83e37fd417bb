"""The ten lessons: texts, the states of the stage beside them, questions, trials.

No paragraph is longer than 60 words, and every symbol of a step is in `look.symbols`; tests hold
both. What a text says of a run is filled in from that run (`facts`).
"""

from __future__ import annotations

from pages.ui.error_bound.error_bound_presets import ALL_PRESETS as BOUNDS
from pages.ui.error_bound.error_bound_request import as_query as bound_query
from pages.ui.landscape.landscape_presets import PRESETS as LANDSCAPES
from pages.ui.landscape.landscape_request import as_query as landscape_query
from pages.ui.learn.lesson import Lesson, Link, Question, Step, Trial
from pages.ui.tables.tables_request import TablesRequest, moved
from pages.ui.tables.tables_request import as_query as tables_query
from pages.ui.undo.undo_presets import named
from red_core.measure.tables import TABLES

LINF, L2, L1 = (f"story-{attack}.red" for attack in ("linf", "l2", "l1"))
ALONE, BOTH, STRONG = (f"lesson-{name}.red" for name in ("alone", "both", "strong"))
# What the slider over lambda chooses from, in its order.
LAMBDAS = ("lesson-lambda-low.red", BOTH, "lesson-lambda-high.red", "lesson-lambda-most.red")
NAMES = {"linf": LINF, "l2": L2, "l1": L1, "alone": ALONE, "both": BOTH, "strong": STRONG}
NAMES |= {"low": LAMBDAS[0], "high": LAMBDAS[2], "most": LAMBDAS[3]}


def _bound(name: str) -> dict[str, str]:
    return bound_query(next(one.request for one in BOUNDS if one.name == name))


def _landscape(name: str) -> dict[str, str]:
    return landscape_query(next(one.request for one in LANDSCAPES if one.name == name))


def _table(number: str) -> dict[str, str]:
    return tables_query(moved(TablesRequest(), number))


ATTACK = Lesson(
    "attack",
    "What an attack is, and what it costs",
    (
        Step(
            "A picture and a classifier",
            (
                "The picture x is {here.a_label}. A classifier ψ, a network that was trained to "
                "read digits, reads it rightly.",
                "Of the pictures at the top, x is the fifth. The first, x′, is what ψ is given. "
                "The attack begins at a random point within its budget, so x′ has some noise "
                "already.",
            ),
            LINF,
            "clean",
            ("headline", "pictures"),
        ),
        Step(
            "The attack is made",
            (
                "An attack adds a pattern δ to x, so that x′ = x + δ is misread. Projected "
                "gradient descent makes it in {here.attack_steps} small steps. Each step "
                "follows ψ's gradient: the change of the pixels that raises its error on "
                "{here.a_label} fastest.",
                "Watch x′ and δ change, and what ψ reads. It ends with {here.a_read}.",
            ),
            LINF,
            "attacked",
            ("headline", "pictures"),
            since="clean",
        ),
        Step(
            "What it costs",
            (
                "Pixels run from 0 to 1. No pixel of δ is beyond ±ε, and here ε = {here.eps}: the "
                "pattern is plain to see, yet a person still reads {here.a_label}.",
                "It costs {here.attack_steps} gradients of ψ, for which ψ's weights must be known, "
                "and the budget ε. With a smaller budget ψ is fooled less often.",
            ),
            LINF,
            "attacked",
            ("pictures",),
            truth=True,
        ),
    ),
    Question(
        "What must this attacker know?",
        ("ψ, with all its weights", "Only what ψ answers", "ψ and the defence"),
        0,
        "ψ with its weights, since every step takes a gradient of ψ. Nothing here uses the "
        "defence; the lesson “Where it fails” has an attacker who does.",
    ),
    Trial("Attack the same digit with a third of the budget", LINF, {"eps": "0.1"}),
)

NORMS = Lesson(
    "norms",
    "Three norms, three textures",
    (
        Step(
            "ℓ∞: every pixel a little",
            (
                "An attack needs a limit, and the limit is a norm of δ. The norm ℓ∞ is the "
                "largest change of any pixel. A change of another pixel costs nothing more, so "
                "the pattern covers the picture.",
                "Look at δ, the sixth picture: orange is darker, violet brighter. Here ε = "
                "{here.eps}, and {here.at_limit} of the pixels that changed are at that limit.",
            ),
            LINF,
            "attacked",
            ("pictures",),
            truth=True,
        ),
        Step(
            "ℓ2: energy in shapes",
            (
                "The norm ℓ2 is the root of the summed squares. The best δ is then "
                "proportional to ψ's gradient: much where ψ reacts most, little elsewhere. It "
                "looks like soft shapes at the strokes.",
                "The budget is ε = {here.eps}; the largest change of a pixel is {here.largest}.",
            ),
            L2,
            "attacked",
            ("pictures",),
            truth=True,
        ),
        Step(
            "ℓ1: few pixels much",
            (
                "The norm ℓ1 is the sum of all changes. The cheapest way to fool ψ is then to "
                "change the few pixels that matter most, and to leave the others as they are.",
                "The budget is ε = {here.eps}; the largest change of a pixel is {here.largest}. "
                "{here.unchanged} of the pixels are as they were.",
            ),
            L1,
            "attacked",
            ("pictures",),
            truth=True,
        ),
        Step(
            "The texture shows the norm",
            (
                "The method never sees δ. It has a dictionary Dₐ of attacks on training digits, "
                "sorted into rows by norm and columns by class.",
                "At the end of this run the ℓ1 attack is explained from x′ alone. The stronger "
                "the colour of a cell, the more of its attacks are used. Attacks of one norm "
                "rebuild each other best, because they share a texture.",
            ),
            L1,
            "end",
            ("blocks", "pictures"),
            truth=True,
        ),
    ),
    Question(
        "A pattern δ changes 700 of 784 pixels, each by 0.3 or by 0.29. Which norm was limited?",
        ("ℓ∞", "ℓ2", "ℓ1"),
        0,
        "ℓ∞. Nearly every pixel is at the limit. An ℓ2 attack would change some pixels far more "
        "than others, an ℓ1 attack would leave most of them alone.",
    ),
    Trial("Attack the ℓ2 digit with ℓ1 instead", L2, {"attack": "l1"}),
)

GENERATOR = Lesson(
    "generator",
    "A generator and its latent space",
    (
        Step(
            "Move z by hand",
            (
                "G is a generator: a network trained on clean digits. It takes 100 numbers, "
                "together called z, and draws a picture G(z). Each slider is one of the 100.",
                "Your browser computes G here, with the same weights as the server. Whatever z, "
                "the picture looks like a digit, or nearly.",
            ),
            LINF,
            "end",
            ("pictures",),
            panel="draw",
        ),
        Step(
            "From one z to another",
            (
                "All z together are the latent space. Move on a straight line from one random z "
                "to another: the picture changes without a jump, through shapes between two "
                "digits.",
                "That is what lets gradient descent work. A small change of z is a small change "
                "of the picture.",
            ),
            LINF,
            "end",
            ("pictures",),
            panel="line",
        ),
        Step(
            "A run moves z",
            (
                "To undo an attack is to find the z that explains x′ best. In this recorded run "
                "z moves; the frames show G(z) where it has changed most.",
                "The plane is a cut through the 100 dimensions. Deeper colour is a lower loss, "
                "and the dot is z at this step. It begins as {here.a_began}.",
            ),
            LINF,
            "end",
            ("frames", "plane"),
            since="start",
        ),
    ),
    Question(
        "Can G draw an attack's pattern, which no training digit had?",
        ("No, it has never seen one", "In part, if z goes far enough"),
        1,
        "In part. Far from where z was in training, G draws what is no digit, and that can "
        "include some of δ. So the preset best pulls z towards its start.",
    ),
    Trial("The same digit from other random starts", LINF, {"seed": "1"}),
)

DEFENSE_GAN = Lesson(
    "alone",
    "Inversion alone, and how it is fooled",
    (
        Step(
            "Look for the nearest digit",
            (
                "Defense-GAN is an older idea: replace x′ by the picture G(z) that is nearest to "
                "it, since G draws clean digits only. From random starts, z goes down the slope "
                "of ‖x′ − G(z)‖².",
                "The first frame is {here.a_began}. Watch how it bends towards x′.",
            ),
            ALONE,
            "start-end",
            ("frames",),
            since="start",
        ),
        Step(
            "Near to the attack is far from the truth",
            (
                "x was {here.a_label}. G(z) reads as {here.a_psi} to ψ, and as {here.a_signal} "
                "to a second classifier, trained on recovered pictures.",
                "The nearest picture to x′ is not the nearest to x: G bent the digit to cover a "
                "part of the attack, and the rest is what it could not cover.",
            ),
            ALONE,
            "end",
            ("pictures", "verdict"),
            truth=True,
        ),
    ),
    Question(
        "Would many more random starts help?",
        ("Yes, the best of many is the right digit", "Not by themselves"),
        1,
        "Not by themselves. More starts find a G(z) that is nearer to x′. But x′ holds the "
        "attack, so nearer to x′ may mean further from x. Try it with ten.",
    ),
    Trial("G alone again, with ten random starts", ALONE, {"solver.restarts": "10"}),
    (Link("Defense-GAN beside the other methods, in Table 1", "tables.py", _table("1")),),
)

CODE = Lesson(
    "both",
    "Adding the attack's code",
    (
        Step(
            "A second term",
            (
                "The paper's idea: let x′ = G(z) + Dₐcₐ + rest. The columns of the dictionary Dₐ "
                "are {here.columns} attacks on training digits; cₐ is the attack's code, how "
                "much of each column is used.",
                "G is to draw the digit, and Dₐcₐ the attack. This is the moment at which cₐ "
                "begins at zero.",
            ),
            BOTH,
            "code",
            ("pictures", "blocks"),
        ),
        Step(
            "Both move",
            (
                "In every step z moves along its gradient, and cₐ takes a proximal step, which "
                "can switch whole blocks of it off: Algorithm 1 of the paper.",
                "As Dₐcₐ takes over the pattern, G(z) need not cover it any more. From step "
                "{here.turn_step} to the end ψ reads {here.a_label} in it.",
            ),
            BOTH,
            "end",
            ("pictures", "blocks", "frames"),
            since="code",
        ),
        Step(
            "Two runs from one x′",
            (
                "This x′ is the one of the lesson before, and so are the random starts. G alone "
                "ended with {alone.a_signal}; with the attack's code it is {here.a_signal}. The "
                "truth is {here.a_label}.",
                "And there is a second answer: the attack is named {here.named}, since its block "
                "explains the rest best.",
            ),
            BOTH,
            "end",
            ("verdict", "headline"),
            truth=True,
        ),
    ),
    Question(
        "Why does G(z) leave the wrong digit once cₐ may move?",
        (
            "Dₐcₐ explains the pattern, so the wrong digit fits x′ worse than the right one",
            "ψ's gradient pulls it back",
        ),
        0,
        "Dₐcₐ explains the pattern. ψ takes no part in the descent: it is only asked, at every "
        "step, what it reads. The best sum of a digit and an attack is the true pair.",
    ),
    Trial("The same x′ from other random starts", BOTH, {"seed": "3"}),
)

LAMBDA = Lesson(
    "lambda",
    "Block sparsity and λ",
    (
        Step(
            "A cost for every block",
            (
                "cₐ is cut into {here.blocks} blocks, one for each class and attack. What is "
                "minimised is ½ ‖x′ − G(z) − Dₐcₐ‖² + λ (‖block 1‖ + ‖block 2‖ + …).",
                "λ weighs the cost of a block. A block whose attacks explain less than they cost "
                "is switched off as a whole: that is block sparsity.",
            ),
            BOTH,
            "end",
            ("blocks",),
            truth=True,
        ),
        Step(
            "Move λ",
            (
                "The slider chooses between four recorded runs of one x′. They differ in λ alone, "
                "which is given as a share of λₘₐₓ: the least λ at which every block is off.",
                "Used at the end, from small to large: {low.used}, {both.used}, {high.used} and "
                "{most.used} of {here.blocks} blocks. The framed block is the true one.",
            ),
            BOTH,
            "end",
            ("blocks", "pictures"),
            truth=True,
            panel="lambda",
        ),
        Step(
            "Too much, too little",
            (
                "At λ = λₘₐₓ no block is used, Dₐcₐ stays zero, and G is alone again: ψ reads "
                "{here.a_psi} in G(z), and the truth is {here.a_label}.",
                "At {low.share} of it nearly everything is allowed, and so many attacks together "
                "can rebuild strokes of the digit too. Between the two the block says something.",
            ),
            LAMBDAS[3],
            "end",
            ("pictures", "blocks", "verdict"),
            truth=True,
        ),
    ),
    Question(
        "λ is raised from {both.share} to {high.share} of λₘₐₓ. What happens to the blocks?",
        ("More are used", "As many are used", "Fewer are used"),
        2,
        "Fewer: {both.used} became {high.used}. A higher cost switches off the blocks that "
        "explained little. What they had explained goes back to G(z) and to the rest.",
    ),
    Trial("The same x′ with λ = 0.05 λₘₐₓ", BOTH, {"solver.lambda_fraction": "0.05"}),
)

VERDICT = Lesson(
    "verdict",
    "Reading the verdict and its margins",
    (
        Step(
            "Which digit?",
            (
                "At the end a classifier reads G(z). The paper lets ψ itself read it (BSD-GAN); "
                "it says {here.psi}. This app's preset best has a second classifier, trained on "
                "recovered pictures; it says {here.signal}.",
                "The bars show how sure it is: {here.signal_sure}. A close second is a warning.",
            ),
            L2,
            "end",
            ("verdict", "pictures"),
        ),
        Step(
            "Which attack?",
            (
                "The paper asks of each block alone: how much of x′ − G(z) is left if only its "
                "attacks are used? The block that leaves least names the attack (BSD-GAN-AD): "
                "{here.block}.",
                "Its margin: the best block of another attack leaves {here.margin} more. Below "
                "one or two per cent the rule is close to a guess.",
            ),
            L2,
            "end",
            ("verdict", "blocks"),
        ),
        Step(
            "More evidence",
            (
                "Residuals of blocks hardly separate ℓ2 from ℓ1. The preset best also looks at the "
                "shape of the rest and of x′ − G(z), and weighs all of it, as learnt on training "
                "digits: {here.named}, {here.attack_sure} sure.",
                "Where a run is stranger than 199 of 200 runs on known attacks, it says: none of "
                "the known.",
            ),
            L2,
            "end",
            ("verdict",),
        ),
    ),
    Question(
        "The best ℓ2 block leaves 2.50, the best ℓ1 block 2.51. What do you say?",
        ("It is ℓ2", "The two are too close to tell by this rule"),
        1,
        "Too close: the margin is 0.4%. Another random start may turn it round. Ask the other "
        "evidence, or run again with another seed and see whether the answer stays.",
    ),
    Trial("The same x′ with the paper's own numbers", L2, {"solver": None, "preset": "paper"}),
    (Link("How often each rule is right: Table 1", "tables.py", _table("1")),),
)

FAILS = Lesson(
    "fails",
    "Where it fails",
    (
        Step(
            "Too strong an attack",
            (
                "Here ε = {here.eps}. The digit was {here.a_label}, the verdict is "
                "{here.a_signal}: wrong, and {here.signal_sure} sure of it. Being sure is not "
                "being right.",
                "An attack this strong changes the strokes. A digit of the wrong class and "
                "some other attack may then explain x′ better than the truth does.",
            ),
            STRONG,
            "end",
            ("headline", "pictures", "verdict"),
            truth=True,
        ),
        Step(
            "How a wrong answer comes about",
            (
                "z goes down the slope as always, and the loss falls. The curves look like those "
                "of a run that ends right: they do not show that the digit is another one.",
                "The attack is named {here.named}, and it was {here.attack}: its texture can be "
                "clear where the digit is lost.",
            ),
            STRONG,
            "end",
            ("frames", "curves"),
            since="code",
        ),
        Step(
            "Unseen attacks, and one who knows",
            (
                "Dₐ holds three kinds of attack. A patch, noise or another network's attack is "
                "not among them; the page Tables shows how often each is called unknown, and how "
                "often the digit is right all the same.",
                "An attacker who knows the defence can aim at it. Against ℓ∞ attacks through the "
                "encoder of the preset best, {measured.encoder} of the digits were recovered; "
                "against those on ψ alone {measured.known}.",
            ),
            STRONG,
            "end",
            ("verdict",),
        ),
    ),
    Question(
        "The verdict is 99% sure. When may you believe that number?",
        ("Always", "For attacks like those it was trained on, at their strength"),
        1,
        "For known attacks at about the paper's strength: that is what it was calibrated on. The "
        "wrong verdict here is {strong.signal_sure} sure.",
    ),
    Trial("The same digit at the paper's strength", STRONG, {"eps": None}),
    (Link("Unseen and adaptive attacks: the end of the page Tables", "tables.py", _table("1")),),
)

LANDSCAPE = Lesson(
    "landscape",
    "The landscape: traps and none",
    (
        Step(
            "A cut through the loss",
            (
                "With cₐ held, the loss f is a landscape over z. The plane shows a cut through "
                "it, along the two directions in which a preview of the path moves most. The "
                "paper asks: does every path down end at the solution?",
                "This is the landscape when the code begins, with cₐ = 0.",
            ),
            LINF,
            "code",
            ("plane",),
        ),
        Step(
            "It changes on the way",
            (
                "When cₐ moves, the landscape under z changes: it is drawn anew for every tenth "
                "of the run. What was the lowest place need not stay the lowest.",
                "A path that seems to go uphill may be on a landscape that changed, or may move "
                "in a direction that the cut does not show.",
            ),
            LINF,
            "end",
            ("plane", "frames"),
            since="code",
        ),
        Step(
            "Traps and none",
            (
                "For one layer with a leaky ReLU there is no trap: every start arrives, even "
                "where the weights are far from random. That is the paper's Figure 2.",
                "With two layers of ReLU there can be a trap, a valley that is not the solution, "
                "on the other side of the origin. Both are on the page Landscape, where a click "
                "begins a path.",
            ),
            LINF,
            "end",
            ("plane",),
        ),
    ),
    Question(
        "The plane shows one valley and no other. Is there no trap?",
        ("None, or it would be seen", "There may be one: 98 directions are not shown"),
        1,
        "There may be one. The cut has two of 100 dimensions, and it was laid where the path "
        "goes. In two dimensions the page Landscape searches all of it.",
    ),
    Trial("The same digit from other random starts, and its plane", LINF, {"seed": "2"}),
    (
        Link("Figure 2: no trap", "landscape.py", _landscape("Figure 2")),
        Link("Two layers: a trap", "landscape.py", _landscape("A trap")),
    ),
)

THEOREM = Lesson(
    "theorem",
    "The theorem: μ, ρ, ε, and what applies",
    (
        Step(
            "What the curves show",
            (
                "The curves show the loss, the duality gap and μ. The gap is a bound: with z "
                "held, no code can lower the objective by more than it. It says nothing about "
                "moving z.",
                "All three are drawn in logarithms, so a straight line falling is what linear "
                "convergence looks like.",
            ),
            LINF,
            "end",
            ("curves",),
            since="code",
        ),
        Step(
            "The error bound μ",
            (
                "The paper assumes (Assumption 5): along the path ‖∇f‖ ≥ μ times the distance to "
                "the solution, with one μ > 0. So the slope never fades before the end.",
                "For a real picture nobody knows the solution. Here μ is measured to the run's "
                "own last iterate, which is not the assumption's; the least is {here.least_mu}.",
            ),
            LINF,
            "end",
            ("curves",),
        ),
        Step(
            "What the theorem needs",
            (
                "ρ is the largest and −ε the smallest curvature of f. Theorems 3 and 6 promise "
                "linear convergence if μ² > (32/9) ρ ε, the step size η lies in an interval that "
                "these three give, and the activation σ is smooth.",
                "G here has kinks, and Dₐ more columns than a picture has pixels. So no theorem "
                "covers this run; the loss falls all the same.",
            ),
            LINF,
            "end",
            ("curves", "plane"),
        ),
    ),
    Question(
        "On a path μ is above zero everywhere. Does Theorem 3 promise a linear rate?",
        ("Yes", "Only if more holds"),
        1,
        "Only if more holds: μ² > (32/9) ρ ε, η in its interval, and a smooth σ. With little "
        "negative curvature, a small ε, that is easy; far from the solution it often fails.",
    ),
    Trial(
        "μ exact: a picture of G's own, with a known attack",
        LINF,
        {"index": None, "attack": "l2", "solver": None, "source": "realizable", "seed": "10"},
    ),
    (
        Link("A case that Theorem 3 covers", "error_bound.py", _bound("Theorem 3 applies")),
        Link("The same from afar", "error_bound.py", _bound("The same from afar")),
    ),
    {"ε": "minus the smallest curvature of the loss: how far it bends downwards"},
)

LESSONS = (
    ATTACK, NORMS, GENERATOR, DEFENSE_GAN, CODE, LAMBDA, VERDICT, FAILS, LANDSCAPE, THEOREM,
)  # fmt: skip


def experiments() -> tuple[tuple[str, str, Link], ...]:
    """The paper's experiments: name, what it shows, and the page that shows it."""
    figures = [
        ("Figure 1", "μ grows with G's outputs", Link("", "error_bound.py", _bound("Figure 1"))),
        ("Figure 2", "no trap in two dimensions", Link("", "landscape.py", _landscape("Figure 2"))),
        ("Figure 3", "Figure 1 in three layers", Link("", "error_bound.py", _bound("Figure 3"))),
        (
            "Figure 4",
            "25 frames of an inversion",
            Link("", "undo.py", named("mnist")[0].settings.as_query()),
        ),
    ]
    examples = [
        ("Section 5.1", "two orthonormal rows"),
        ("Example 15", "the two rows with noise"),
        ("Example 16", "rows of a Hadamard matrix"),
        ("Example 16, noisy", "the same with noise"),
        ("Example 17", "Vandermonde rows"),
    ]
    tables = [
        (f"Table {number}", spec.title, Link("", "tables.py", _table(number)))
        for number, spec in TABLES.items()
    ]
    bounds = [(name, words, Link("", "error_bound.py", _bound(name))) for name, words in examples]
    return (*figures, *bounds, *tables)
