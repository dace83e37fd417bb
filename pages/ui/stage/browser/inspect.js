// What an element of the stage is made of: a pixel, a block of the code, a bar of the verdict.

import { a, ATTACK_NAMES, element, largest, signed } from "./paint.js"
import { bytesOf } from "./record.js"
import { tied, TIE } from "./tie.js"

/** Whether another step on the attack's code could change the rule's answer: see docs/record.md. */
function settled({ attacks }, verdict, { attack, certain, residuals, radius, zero, blocks }) {
  const name = ATTACK_NAMES[attacks[attack]]
  const lengths = attacks.map((each, row) => `${ATTACK_NAMES[each]} ${residuals[row].toFixed(3)}`).join(", ")
  const known = radius === null ? "as far as is known" : `to within ${bound(radius)}`
  const minimum = `At the minimum over cₐ for this G(z) the least lengths are ${lengths}, ${known}; ${zero} of ${blocks} blocks are off.`
  const gap = "The duality gap, a bound on how far the objective is above its minimum,"
  if (!certain) return [minimum, `${gap} does not decide which is least: the rule's answer is open.`]
  if (attacks[attack] !== verdict.block) return [minimum, `${gap} proves that further steps on cₐ would change the rule's answer to ${name}.`]
  return [minimum, `${gap} proves that no further step on cₐ can change the rule's answer, ${name}.`]
}

/** A bound rounded up to a power of ten, without exponents. */
function bound(radius) {
  const digits = Math.max(0, Math.floor(-Math.log10(Math.max(radius, 1e-9))))
  return digits > 6 ? "a millionth" : (10 ** -digits).toFixed(digits)
}

/** What gave the class: columns of [heading, probabilities], and the classifier in words. */
export function readings(verdict) {
  const sources = verdict.sources ?? []  // older recordings have none
  const several = sources.length > 1
  const alone = several ? sources.map(({ name, probabilities }) => [`it on ${name.replace("'", "′")}`, probabilities]) : []
  const reader = verdict.has_reader ? "a second classifier, trained on recovered pictures" : "the attacked classifier ψ itself"
  const pictures = several ? ": it reads the recovered picture G(z), a denoised x′ and x′ itself, and its three answers are weighed by how often each was right on held-out runs" : ""
  return {
    columns: [["this method", verdict.signal_probabilities], ...alone, ["ψ on G(z)", verdict.psi_probabilities], ["ψ on x′", verdict.adversarial_probabilities]],
    words: `${reader}${pictures}`,
  }
}

export class Inspector {
  /** ask(k, label, attack): a promise of the server's answer, or null where no server has the run. */
  constructor(parent, ask, onClose) {
    this.parent = parent
    this.ask = ask
    this.what = null
    this.title = element("h3")
    this.body = element("div", { class: "body" })
    const close = element("button", { type: "button", "aria-label": "Close", title: "Close (Escape)" }, "×")
    close.addEventListener("click", () => { this.close(); onClose() })
    parent.append(element("div", { class: "head" }, this.title, close), this.body)
    parent.setAttribute("role", "dialog")
    parent.hidden = true
  }

  /** what: { kind: "pixel", row, column } | { kind: "block", label, attack } | { kind: "picture" | "attack" } */
  open(what) {
    this.what = what
    this.drawn = null
    this.parent.hidden = false
    this.parent.dataset.kind = what.kind
  }

  close() {
    this.what = null
    this.parent.hidden = true
    this.parent.dataset.kind = ""
  }

  draw(store, palette, values) {
    const { what } = this
    if (!what || !store.header) return
    const still = store.playback !== "playing"
    const key = `${store.epoch} ${store.moment} ${what.kind === "block" ? still : ""} ${store.truth} ${store.atEnd} ${store.certificate !== null}`
    if (this.drawn === key && this.store === store && this.palette === palette) return
    Object.assign(this, { drawn: key, store, palette })
    if (what.kind === "pixel") this._pixel(store, what, values)
    else if (what.kind === "block") this._block(store, what, still)
    else if (what.kind === "picture") this._picture(store)
    else this._attack(store)
  }

  _say(title, ...children) {
    this.title.textContent = title
    this.parent.setAttribute("aria-label", title)
    this.body.replaceChildren(...children)
  }

  _pixel({ header }, { row, column }, values) {
    const [channels, height, width] = header.shape
    const place = row * width + column
    const names = [["observed", "x′, what the classifier sees"], ["image", header.latent ? "G(z), the recovered picture" : "D(x′), the recovered picture"],
      ["explained", "Dₐcₐ, the recovered attack"], ["rest", "rest: x′ less the two"], ["clean", "x, the clean picture"], ["delta", "δ, the attack"]]
    const rows = names.filter(([name]) => values[name]).map(([name, words]) => {
      const all = values[name]
      const plain = !(all instanceof Float32Array)
      const numbers = Array.from({ length: channels }, (_, c) => {
        const value = all[c * height * width + place]
        return plain ? (value / 255).toFixed(2) : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`
      })
      return element("tr", { "data-part": name }, element("th", { scope: "row" }, words), ...numbers.map((text) => element("td", {}, text)))
    })
    this._say(`Pixel in row ${row + 1}, column ${column + 1}`,
      element("p", {}, channels === 1 ? "0 is black, 1 is white." : "Red, green and blue, each from 0 to 1."),
      element("table", {}, element("tbody", {}, ...rows)))
  }

  _picture({ header, verdict, atEnd }) {
    if (!atEnd) { this._say("The picture's class", element("p", {}, "It is read when the run has ended.")); return }
    const { columns, words } = readings(verdict)
    this._say("Computed from: what classifiers read",
      element("p", {}, `This method asks ${words}. In per cent; the largest of each column is bold.`),
      table(["class", ...columns.map(([name]) => name)], header.classes.map((name, label) =>
        [name, ...columns.map(([, shares]) => [(100 * shares[label]).toFixed(1), largest(shares) === label])])))
  }

  _attack({ header, verdict, certificate, atEnd }) {
    if (!atEnd) { this._say("The attack's name", element("p", {}, "It is found when the run has ended.")); return }
    const { attacks, classes } = header
    const flat = verdict.block_residuals.flat()
    const least = flat.indexOf(Math.min(...flat))
    const bars = verdict.attack_names.map((name, place) => `${ATTACK_NAMES[name]} ${(100 * verdict.attack_probabilities[place]).toFixed(1)}%`).join(", ")
    const next = verdict.block_margin < TIE ? tied(header, verdict)
      : `the best block of another attack leaves ${(100 * verdict.block_margin).toFixed(1)}% more`
    const paragraphs = [
      element("p", {}, `The paper's rule: what is left of x′ − G(z), its length, if only one block is used. The least, bold, is ${ATTACK_NAMES[attacks[least % attacks.length]]}; ${next}.`),
    ]
    if (verdict.rule_lambda) paragraphs.push(element("p", {}, `For this rule cₐ is solved once more for the last G(z), at λ = ${verdict.rule_lambda} λₘₐₓ, the paper's: λₘₐₓ is the least λ at which every block is off.`))
    if (verdict.has_evidence) paragraphs.push(element("p", {}, `This method weighs these lengths with the shape of the rest: ${bars}.`))
    if (verdict.unknown_p !== null) paragraphs.push(element("p", {}, `Of runs on known attacks, ${(100 * verdict.unknown_p).toFixed(1)}% are as unusual as this one; below 0.5% it is called unknown.`))
    if (certificate && verdict.block !== "none") {
      for (const words of settled(header, verdict, certificate)) paragraphs.push(element("p", { class: "certificate" }, words))
    }
    this._say("Computed from: what each block leaves", ...paragraphs,
      table(["class", ...attacks.map((name) => ATTACK_NAMES[name])], classes.map((name, label) =>
        [name, ...attacks.map((_, row) => [verdict.block_residuals[label][row].toFixed(2), label * attacks.length + row === least])])))
  }

  _block(store, { label, attack }, still) {
    const { header, record } = store
    const kind = ATTACK_NAMES[header.attacks[attack]]
    const title = `${kind} attacks on ${a(header.classes[label])}`
    if (!record || record.phase !== "joint") { this._say(title, element("p", {}, "The attack's code is zero until G and attack move together.")); return }
    const energy = record.energy[label * header.attacks.length + attack]
    const order = Array.from(record.energy).filter((value) => value > energy).length + 1
    const known = element("p", {}, energy > 0
      ? `Step ${record.k}: the length of this block's code is ${energy.toFixed(3)}, rank ${order} of ${record.energy.length}.`
      : `Step ${record.k}: this block is off.`)
    const asking = this.ask(record.k, label, attack)
    if (asking === null) {
      this._say(title, known, element("p", {}, "A recorded run keeps the length of each block, not its columns. Run it yourself to see them."))
      return
    }
    if (energy === 0 || !still) { this._say(title, known); return }
    this._say(title, known)
    const { what } = this
    asking().then((found) => {
      if (this.what !== what || this.store !== store) return
      const { palette } = this
      const picture = (each, words) => {
        const [channels, height, width] = header.shape
        const canvas = element("canvas", { width, height, role: "img", "aria-label": words })
        const context = canvas.getContext("2d")
        const image = context.createImageData(width, height)
        const values = Float32Array.from(new Int8Array(bytesOf(each.values).buffer), (value) => value / 127)
        signed(image.data, values, height * width, 1, palette.diverging)
        context.putImageData(image, 0, 0)
        return element("figure", {}, canvas, element("figcaption", {}, words))
      }
      const shown = found.columns.map((each) => picture(each, `${each.coefficient < 0 ? "−" : ""}${Math.abs(each.coefficient).toFixed(3)} × (±${each.scale.toFixed(2)})`))
      const share = 100 * (1 - (found.left / found.before) ** 2)
      this._say(title, known,
        element("p", {}, `${found.used} of its ${found.of} training attacks are used. The strongest, each with its coefficient:`),
        element("div", { class: "columns" }, ...shown),
        element("p", {}, `Their sum with all the others. Alone it explains ${share.toFixed(0)}% of ‖x′ − G(z)‖².`),
        element("div", { class: "columns sum" }, picture(found.sum, `sum (±${found.sum.scale.toFixed(2)})`)))
      this.parent.dataset.block = `${label} ${attack} ${found.k}`
    }, (error) => { if (this.what === what) this._say(title, known, element("p", {}, error.message)) })
  }
}

/** A table: the names of the columns, and rows of a name and [text, bold]. */
function table(head, rows) {
  return element("table", {}, element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map(([name, ...cells]) => element("tr", {}, element("th", { scope: "row" }, name),
      ...cells.map(([text, bold]) => element("td", { class: bold ? "bold" : "" }, text))))))
}
