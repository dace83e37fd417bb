// Who says what, and how sure: the table and the bars of the verdict.

import { ATTACK_NAMES, element } from "./paint.js"
import { TIE } from "./tie.js"

export class Verdict {
  /** onOpen: called with "picture" or "attack" where its bars are pointed at. */
  constructor(parent, onOpen) {
    this.onOpen = onOpen
    this.body = element("tbody")
    const head = element("tr", {}, ...["", "picture", "attack"].map((text) => element("th", { scope: "col" }, text)))
    this.table = element("table", {}, element("caption", {}, "Who says what"), element("thead", {}, head), this.body)
    this.bars = element("div", { class: "bars" })
    parent.append(this.table, this.bars)
    this.drawn = null
  }

  draw(store) {
    const { header, verdict } = store
    if (!header) return
    const shown = store.atEnd ? verdict : null
    const key = `${store.truth || shown !== null}${header.label}${shown ? `${store.epoch} ${shown.at} ${shown.signal}` : ""}${header.settings.index}`
    if (this.drawn === key) return
    this.drawn = key
    const names = header.classes
    const truth = store.truth || shown
    const rows = [
      ["the truth", truth ? nameOr(names, header.label) : "–", truth ? attackOr(header.attack) : "–"],
      ["ψ on x′", shown ? marked(names, shown.adversarial, header.label) : "–", ""],
      ["this method", shown ? marked(names, shown.signal, header.label) : "–", shown ? markedAttack(shown.attack, header.attack) : "–"],
      ["the paper's rules", shown ? marked(names, shown.psi, header.label) : "–", shown ? byRule(shown, header.attack) : "–"],
    ]
    this.body.replaceChildren(...rows.map(([who, ...cells]) =>
      element("tr", {}, element("th", { scope: "row" }, who), ...cells.map((cell) => element("td", {}, cell)))))
    this.bars.replaceChildren(...(shown ? [
      bars("picture", shown.signal_probabilities, names, "signal", this.onOpen),
      bars("attack", shown.attack_probabilities, shown.attack_names.map((name) => ATTACK_NAMES[name]), shown.attack_names, this.onOpen),
    ] : []))
  }
}

function nameOr(names, label) {
  return label === null ? "not known" : names[label]
}

function attackOr(attack) {
  return attack === null ? "not known" : ATTACK_NAMES[attack]
}

function marked(names, said, true_) {
  return true_ === null ? names[said] : `${names[said]} ${said === true_ ? "✓" : "✗"}`
}

/** The paper's rule's answer: where two attacks' best blocks leave the same it is only the first. */
function byRule({ block, block_margin }, true_) {
  return `${markedAttack(block, true_)}${block !== "none" && block_margin < TIE ? " (a tie)" : ""}`
}

function markedAttack(said, true_) {
  const name = said === "unknown" ? "none of the known" : ATTACK_NAMES[said]
  return true_ === null ? name : `${name} ${said === true_ ? "✓" : "✗"}`
}

/** The three largest shares as bars; colours: one meaning, or one for each name. */
function bars(what, shares, names, colours, onOpen) {
  const order = shares.map((share, place) => [share, place]).sort((one, other) => other[0] - one[0]).slice(0, 3)
  const open = element("button", { type: "button", class: "what", title: "What this was computed from" }, what)
  const group = element("div", { role: "group", "aria-label": `How sure of the ${what}` }, open,
    ...order.map(([share, place]) => {
      const colour = Array.isArray(colours) ? colours[place] : colours
      const fill = element("i", { style: `width:${(100 * share).toFixed(1)}%;background:var(--red-${colour})` })
      return element("div", { class: "bar" }, element("span", {}, names[place]), element("b", {}, fill),
        element("span", { class: "share" }, share > 0.995 ? ">99%" : `${(100 * share).toFixed(0)}%`))
    }))
  group.addEventListener("click", () => onOpen(what))
  return group
}
