// What the stage says in words: one line for every moment, and the verdict at the end.

import { a, ATTACK_NAMES, element, largest, percent } from "./paint.js"
import { tied, TIE } from "./tie.js"

const QUIET = 1500 // ms between two lines of the live region while a run goes on

export class Headline {
  constructor(parent) {
    this.line = element("h2", { class: "line" })
    this.detail = element("p", { class: "detail" })
    this.spoken = element("p", { class: "spoken", "aria-live": "polite" })
    parent.append(this.line, this.detail, this.spoken)
    this.said = 0
  }

  draw(store) {
    const { line, detail } = sentences(store)
    if (this.line.textContent !== line) this.line.textContent = line
    if (this.detail.textContent !== detail) this.detail.textContent = detail
    const now = performance.now()
    if (store.playback !== "playing" || now - this.said > QUIET) {
      if (this.spoken.textContent !== line) this.spoken.textContent = line
      this.said = now
    }
  }
}

/** The headline of the shown moment, and the smaller line below it. */
export function sentences(store) {
  const { header, record, status } = store
  if (status.error) return { line: "The run failed.", detail: status.error }
  if (!header) return { line: "Loading.", detail: "" }
  const names = header.classes
  if (!record) {
    const what = header.label === null ? "your image" : a(names[header.label])
    const now = status.state !== "idle"
    if (!now && status.notice) return { line: "This run has not begun.", detail: status.notice }
    if (now && status.place) {
      return { line: "Waiting for its turn.", detail: `${status.place} ahead of this run.` }
    }
    return now
      ? { line: "Starting.", detail: "" }
      : { line: `This is ${what}. Press Run: attack it, then undo the attack.`, detail: about(store) }
  }
  if (store.atEnd) {
    const failed = survived(header, store.verdict.adversarial)
    const words = failed ? advice(store) : ideal(store) || certainty(store)
    return { line: verdictLine(store), detail: status.notice || words }
  }
  const reads = `${names[largest(record.psi)]}`
  const sure = percent(Math.max(...record.psi))
  const k = String(record.k)
  if (record.phase === "attack") {
    const steps = header.attack_steps
    if (steps && record.k === steps && survived(header, largest(record.psi))) {
      return { line: failure(header), detail: advice(store) }
    }
    return {
      line: steps
        ? `Making the attack: the classifier reads ${a(reads)} (${sure}).`
        : `The classifier ψ reads ${a(reads)} (${sure}).`,
      detail: steps ? `Attack step ${k.padStart(String(steps).length, "\u2007")} of ${steps}` : "No attack is made.",
    }
  }
  const total = String(header.total)
  const step = `Step ${k.padStart(total.length, "\u2007")} of ${total}`
  if (record.phase === "start") {
    const name = header.latent ? "Finding a start (G alone)" : "Purifying (DiffPure)"
    return { line: `${name}: the picture reads as ${a(reads)} (${sure}).`, detail: step }
  }
  const block = largest(record.energy)
  const attacks = header.attacks
  const strongest = record.energy[block] > 0
    ? `; the strongest part of the attack is ${ATTACK_NAMES[attacks[block % attacks.length]]}, class ${names[Math.floor(block / attacks.length)]}`
    : ""
  return {
    line: `Undoing: under the attack is ${a(reads)} (${sure}).`,
    detail: `${step}, G and attack together${strongest}`,
  }
}

/** Whether an attack was made and the classifier, which reads x' as `read`, is still right. */
function survived(header, read) {
  return header.attack_steps > 0 && header.label !== null && read === header.label
}

function failure(header) {
  return `The attack failed: the classifier still reads ${a(header.classes[header.label])}.`
}

/** Why the attack failed, and a step after which one works. */
function advice({ header, attacked }) {
  if (attacked && attacked.still) {
    return "It did not leave its random start: the classifier's answer has no slope there. Try another attack."
  }
  const marked = header.source === "example" && header.dataset !== "cifar10"
  const other = header.dataset === "mnist" ? "digit" : "picture"
  const where = marked ? " with a dot in the gallery: this attack fools the classifier on those" : ""
  return `The classifier withstands this much. Try a larger budget, or another ${other}${where}.`
}

/** What is about to be run. */
function about({ header }) {
  if (header.source === "realizable") return "An image that G made, plus a known attack: the case in which μ is exact."
  if (header.attack === null || header.attack === "none") return "No attack is added: does the method say so?"
  return `An ${ATTACK_NAMES[header.attack]} attack changes it until the classifier ψ misreads it, if it can; then G and the dictionary of attacks explain what is left.`
}

/** The verdict in one line, and whether it is right where that is known. */
export function verdictLine({ header, verdict }) {
  const names = header.classes
  const found = names[verdict.signal]
  const true_ = header.label === null ? null : names[header.label]
  const early = verdict.state === "stopped" ? "Stopped early. " : ""
  const read = names[verdict.adversarial]
  if (survived(header, verdict.adversarial)) {
    const rest = found === true_ ? "" : ` Underneath it finds ${a(found)}.`
    return `${early}${failure(header)}${rest}`
  }
  let signal
  if (true_ === null) signal = `The classifier reads ${a(read)}. Underneath is ${a(found)}`
  else if (found === true_) {
    signal = read === found ? `It reads as ${a(read)}, and that is right` : `It reads as ${a(read)}. Underneath is ${a(found)}`
  } else signal = `Underneath it finds ${a(found)}, but it was ${a(true_)}`
  return `${early}${signal}${attackPhrase(header, verdict)}`
}

function attackPhrase(header, verdict) {
  const said = verdict.attack
  const true_ = header.attack
  const label = ATTACK_NAMES
  if (said === "unknown" && header.source === "realizable" && verdict.has_evidence) {
    const best = verdict.attack_names[largest(verdict.attack_probabilities)]
    const nearest = best === "none" ? "no attack" : `an ${label[best]} attack`
    return `; of the known answers ${nearest} fits best, and ${best === true_ ? "that is right" : `it was ${label[true_]}`}.`
  }
  if (said === "unknown") {
    const was = true_ === null ? "" : true_ === "none" ? ", though nothing was added" : `, though it was ${label[true_]}`
    return `; the attack is like none of the known ones${was}.`
  }
  if (said === "none") {
    return true_ === null || true_ === "none" ? "; nothing was added to it." : `; no attack is found, but it was ${label[true_]}.`
  }
  if (true_ === null || said === true_) return `, hidden by an ${label[said]} attack.`
  if (true_ === "none") return `; an ${label[said]} attack is named, but there was none.`
  return `; the attack is taken for ${label[said]}, but it was ${label[true_]}.`
}

/** What the evidence on an image that G made rests on, "" for other images. */
function ideal({ header, verdict }) {
  if (header.source !== "realizable" || !verdict.has_evidence) return ""
  const learned = "The attacks' names were learned from real pictures, whose pixels end at black and white. This sum of G and a pattern does not"
  return verdict.attack === "unknown" ? `${learned}: so it counts as unknown.` : `${learned}.`
}

/** How sure the verdict is, in words. */
function certainty({ header, verdict }) {
  const signal = percent(Math.max(...verdict.signal_probabilities))
  if (!verdict.has_evidence) {
    if (verdict.block_margin < TIE) return `Signal ${signal} sure; ${tied(header, verdict)}.`
    return `Signal ${signal} sure; the next attack's best block leaves ${(100 * verdict.block_margin).toFixed(1)}% more.`
  }
  const attack = percent(Math.max(...verdict.attack_probabilities))
  return `Signal ${signal} sure, attack ${attack} sure, ${verdict.seconds.toFixed(1)} s of computing.`
}
