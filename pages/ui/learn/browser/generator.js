// G in the browser: the MNIST generator's forward pass in plain arithmetic, and what moves z by hand.

/** Read the file of pages/ui/learn/generator_file.py. */
export function readGenerator(buffer) {
  const length = new DataView(buffer).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)))
  const halves = new Uint16Array(buffer, 4 + length)
  const total = header.sizes.reduce((sum, size) => sum + size, 0)
  if (halves.length !== total) throw new Error("The generator's file is incomplete.")
  const all = Float32Array.from(halves, half)
  let at = 0
  const parts = header.sizes.map((size) => all.subarray(at, (at += size)))
  const [project, shift, up1, bias1, up2, bias2] = parts
  return new Generator(header.latent, header.width, { project, shift, up1, bias1, up2, bias2 })
}

/** A float16 as a number. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

class Generator {
  constructor(latent, width, weights) {
    Object.assign(this, { latent, width, weights })
  }

  /** The picture of z, 28 x 28 bytes: a linear layer, two transposed convolutions (4, stride 2). */
  draw(z) {
    const { project, shift, up1, bias1, up2, bias2 } = this.weights
    const wide = 2 * this.width
    const first = new Float32Array(wide * 49)
    for (let row = 0; row < first.length; row += 1) {
      let sum = shift[row]
      const at = row * this.latent
      for (let i = 0; i < this.latent; i += 1) sum += project[at + i] * z[i]
      first[row] = Math.max(0, sum)
    }
    const second = upscaled(first, wide, 7, up1, bias1, this.width)
    for (let i = 0; i < second.length; i += 1) second[i] = Math.max(0, second[i])
    const third = upscaled(second, this.width, 14, up2, bias2, 1)
    return Uint8Array.from(third, (value) => Math.round(255 / (1 + Math.exp(-value))))
  }
}

/** ConvTranspose2d(kernel 4, stride 2, padding 1): [from, side, side] to [to, 2 side, 2 side]. */
function upscaled(input, from, side, weight, bias, to) {
  const wide = 2 * side
  const output = new Float32Array(to * wide * wide)
  for (let channel = 0; channel < to; channel += 1) output.fill(bias[channel], channel * wide * wide, (channel + 1) * wide * wide)
  for (let source = 0; source < from; source += 1) {
    for (let row = 0; row < side; row += 1) {
      for (let column = 0; column < side; column += 1) {
        const value = input[(source * side + row) * side + column]
        if (value === 0) continue // half of them, after a ReLU
        for (let channel = 0; channel < to; channel += 1) {
          const kernel = (source * to + channel) * 16
          for (let i = 0; i < 4; i += 1) {
            const y = 2 * row - 1 + i
            if (y < 0 || y >= wide) continue
            const line = (channel * wide + y) * wide
            for (let j = 0; j < 4; j += 1) {
              const x = 2 * column - 1 + j
              if (x >= 0 && x < wide) output[line + x] += value * weight[kernel + 4 * i + j]
            }
          }
        }
      }
    }
  }
  return output
}

/** A z of N(0, I) from a seed, the same everywhere. */
export function normal(seed, count) {
  let state = (seed * 2654435761 + 1) >>> 0
  const uniform = () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296
  }
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()))
}

const SLIDERS = 6

/** The picture of z and the sliders that move it. kind: "draw" single numbers, "line" between two z. */
export class Hand {
  constructor(parent, kind, url, tools) {
    const { element } = tools
    this.kind = kind
    this.seed = 1
    this.canvas = element("canvas", { width: 28, height: 28, role: "img", "aria-label": "G(z)" })
    this.words = element("p", { class: "note", "aria-live": "polite" }, "G is on its way.")
    this.sliders = []
    const rows = element("div", { class: "sliders" })
    const slider = (label, low, high, step) => {
      const input = element("input", { type: "range", min: low, max: high, step, value: 0, "aria-label": label })
      input.addEventListener("input", () => this.draw())
      rows.append(element("label", {}, element("span", {}, label), input))
      this.sliders.push(input)
    }
    if (kind === "draw") for (let i = 1; i <= SLIDERS; i += 1) slider(`z${i}`, -4, 4, 0.05)
    else slider("from one z to the other", 0, 1, 0.01)
    const other = element("button", { type: "button", "data-act": "other-z" }, kind === "draw" ? "Another z" : "Two other z")
    other.addEventListener("click", () => { this.seed += 2; this.begin() })
    parent.append(element("div", { class: "hand" }, this.canvas, element("div", {}, rows, other)), this.words)
    this.parent = parent
    parent.dataset.drawn = "0"
    generatorOf(url).then((generator) => { this.generator = generator; this.begin() }, (error) => { this.words.textContent = error.message })
  }

  begin() {
    const { latent } = this.generator
    this.from = normal(this.seed, latent)
    this.to = normal(this.seed + 1, latent)
    this.sliders.forEach((slider, place) => { slider.value = this.kind === "draw" ? this.from[place] : 0 })
    this.draw()
  }

  /** z as the sliders say. */
  get z() {
    if (this.kind === "draw") {
      const z = Float32Array.from(this.from)
      this.sliders.forEach((slider, place) => { z[place] = Number(slider.value) })
      return z
    }
    const share = Number(this.sliders[0].value)
    return this.from.map((value, i) => value + share * (this.to[i] - value))
  }

  draw() {
    if (!this.generator) return
    const { z } = this
    const picture = this.generator.draw(z)
    const context = this.canvas.getContext("2d")
    const image = context.createImageData(28, 28)
    picture.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i))
    context.putImageData(image, 0, 0)
    const length = Math.sqrt(z.reduce((sum, value) => sum + value * value, 0))
    const usual = Math.sqrt(z.length).toFixed(0)
    const mean = picture.reduce((sum, value) => sum + value, 0) / picture.length / 255
    this.canvas.setAttribute("aria-label", `G(z), of a z of length ${length.toFixed(1)}: ${(100 * mean).toFixed(0)}% of it is white`)
    this.words.textContent = `The length of z is ${length.toFixed(1)}; that of a random z is about ${usual}.`
    this.parent.dataset.drawn = Number(this.parent.dataset.drawn) + 1
  }
}

let loaded = null

function generatorOf(url) {
  if (!loaded || loaded.url !== url) {
    const reading = fetch(url).then(async (answer) => {
      if (!answer.ok) throw new Error(await answer.text())
      return readGenerator(await answer.arrayBuffer())
    })
    loaded = { url, reading }
    reading.catch(() => { loaded = null })
  }
  return loaded.reading
}
