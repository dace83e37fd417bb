// x' = G(z) + D_a c_a + rest at the shown moment, and the truth, x and delta, beside it.

import { a, element, largest, plain, signed } from "./paint.js"

const PARTS = [
  { key: "observed", sign: "", name: "x′", words: "what the classifier sees" },
  { key: "image", sign: "=", name: "G(z)", words: "the recovered picture" },
  { key: "explained", sign: "+", name: "Dₐcₐ", words: "the recovered attack" },
  { key: "rest", sign: "+", name: "rest", words: "what neither explains" },
  { key: "clean", sign: "", name: "x", words: "truth: the clean picture", truth: true },
  { key: "delta", sign: "+", name: "δ", words: "truth: the attack", truth: true },
]

export class Pictures {
  /** onPixel: called with row and column of a pixel that is pointed at. */
  constructor(parent, onPixel) {
    this.values = {} // what is shown, by part; null where it is not known
    this.spot = null // the marked pixel
    this.slots = PARTS.map((part) => {
      const canvas = element("canvas", { role: "img" })
      const caption = element("figcaption", {}, element("b", {}, part.name), element("span", {}, part.words))
      const figure = element("figure", { class: part.truth ? "truth" : "" }, canvas, caption)
      const spot = element("i", { class: "spot", hidden: true })
      figure.append(spot)
      canvas.addEventListener("click", (event) => {
        const { width, height } = canvas.getBoundingClientRect()
        const at = (offset, length, count) => Math.max(0, Math.min(count - 1, Math.floor((offset / length) * count)))
        onPixel(at(event.offsetY, height, canvas.height), at(event.offsetX, width, canvas.width))
      })
      if (part.sign) figure.prepend(element("span", { class: "sign", "aria-hidden": "true" }, part.sign))
      parent.append(figure)
      return { ...part, canvas, figure, caption, spot, context: canvas.getContext("2d"), drawn: null }
    })
    this.scale = element("p", { class: "scale" })
    parent.append(this.scale)
  }

  draw(store, palette) {
    const { header, record } = store
    if (!header) return
    const [channels, height, width] = header.shape
    const pixels = height * width
    const limit = store.signedLimit
    const restLimit = Math.max(limit, store.restLimit)
    const observed = store.observed
    const attacking = record && record.phase === "attack"
    const shown = { observed, image: null, explained: null, rest: null, clean: null, delta: null }
    if (!record) shown.observed = store.clean
    else if (!attacking) {
      shown.image = record.image
      const explained = new Float32Array(channels * pixels)
      const rest = new Float32Array(channels * pixels)
      for (let i = 0; i < explained.length; i += 1) {
        explained[i] = (record.explained[i] * record.explained_scale) / 127
        rest[i] = (observed[i] - record.image[i]) / 255 - explained[i]
      }
      Object.assign(shown, { explained, rest })
    }
    const truth = record && (attacking || store.truth)
    if (truth) {
      shown.clean = store.clean
      shown.delta = Float32Array.from(observed, (value, i) => (value - store.clean[i]) / 255)
    }
    this.values = shown
    for (const slot of this.slots) {
      const { canvas, context } = slot
      slot.spot.hidden = !this.spot
      if (this.spot) {
        const { row, column } = this.spot
        slot.spot.style.cssText = `--row:${row};--column:${column};--rows:${height};--columns:${width}`
      }
      if (canvas.width !== width) canvas.width = width
      if (canvas.height !== height) canvas.height = height
      const values = shown[slot.key]
      if (values === null) {
        context.fillStyle = palette.surface
        context.fillRect(0, 0, width, height)
      } else {
        const image = context.createImageData(width, height)
        if (values instanceof Float32Array) signed(image.data, values, pixels, slot.key === "rest" ? restLimit : limit, palette.diverging)
        else plain(image.data, values, pixels)
        context.putImageData(image, 0, 0)
      }
      if (slot.key === "image" && !header.latent) slot.caption.firstChild.textContent = "D(x′)"
      if (slot.truth) slot.figure.classList.toggle("asked", Boolean(store.truth))
      const words = values === null ? `${slot.name}: not known yet` : `${slot.name}, ${slot.words}${toldOf(slot, values, store)}`
      if (canvas.getAttribute("aria-label") !== words) canvas.setAttribute("aria-label", words)
    }
    const colours = channels === 1 ? "orange below zero, violet above" : "grey is zero"
    const text = `${colours}: ±${limit.toFixed(2)} in Dₐcₐ and δ, ±${restLimit.toFixed(2)} in the rest`
    if (this.scale.textContent !== text) this.scale.textContent = text
  }
}

/** What a picture holds at the shown moment, for those who do not see it. */
function toldOf({ key }, values, { header, record }) {
  if (!record) return ""
  const at = record.phase === "attack" ? `, attack step ${record.k}` : `, step ${record.k}`
  if (values instanceof Float32Array) {
    let most = 0
    for (const value of values) most = Math.max(most, Math.abs(value))
    return `${at}: up to ${most.toFixed(2)} in a pixel`
  }
  const reads = key === "image" || (key === "observed" && record.phase === "attack")
  return reads ? `${at}: read as ${a(header.classes[largest(record.psi)])}` : at
}
