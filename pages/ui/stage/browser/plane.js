// The loss over a plane of z, c_a held, and the path on it.

import { Canvas, element, rgb } from "./paint.js"

const STOPS = [["valley", 0], ["foot", 0.12], ["slope", 0.3], ["shoulder", 0.52], ["ridge", 0.76], ["summit", 1]]

const AXES = [
  ["ahead", "axes: chosen ahead of the run"], ["path", "axes: the path's two main directions (PCA)"],
  ["difference", "axes: from the start to z*, and across"], ["curvature", "axes: most and least curved"],
]
const KEY = "Deeper colour: lower loss. The dot is this step."

export class Plane {
  /** onAxes: called with the axes that are chosen; without it they cannot be. */
  constructor(parent, onChoose, onAxes = null) {
    this.said = element("p", { class: "note", role: "status" }, KEY)
    parent.after(this.said)
    if (onAxes) {
      this.axes = element("select", { "aria-label": "Axes of the plane", class: "axes" },
        ...AXES.map(([value, text]) => element("option", { value }, text)))
      this.axes.addEventListener("change", () => onAxes(this.axes.value))
      parent.before(this.axes)
    }
    this.canvas = new Canvas(parent, "The loss over a plane of z")
    this.relief = document.createElement("canvas")
    this.drawn = null
    this.canvas.node.addEventListener("click", (event) => {
      const near = this._nearest(event.offsetX, event.offsetY)
      if (near !== null) onChoose(near)
    })
  }

  _nearest(x, y) {
    let best = null
    let least = 400
    for (const point of this.path || []) {
      const distance = (point.x - x) ** 2 + (point.y - y) ** 2
      if (distance < least) { least = distance; best = point.place }
    }
    return best
  }

  draw(store, palette) {
    const { canvas } = this
    const context = canvas.begin()
    const surface = store.surface
    const side = Math.min(canvas.width, canvas.height)
    const left = (canvas.width - side) / 2
    const top = 0
    this.path = []
    this._say(store, surface)
    if (!surface) {
      context.fillStyle = palette.surface
      context.fillRect(left, top, side, side)
      context.fillStyle = palette.muted
      context.textAlign = "center"
      context.font = "12px 'Source Sans 3', 'Source Sans Pro', sans-serif"
      const none = store.header && !store.header.latent
      context.fillText(none ? "a diffusion model has no z" : "drawn when G and attack move together", left + side / 2, top + side / 2)
      canvas.describe("The loss over a plane of z: not drawn yet")
      return
    }
    if (this.drawn !== surface || this.colours !== palette) {
      this._relief(surface, palette)
      this.drawn = surface
      this.colours = palette
    }
    context.imageSmoothingEnabled = true
    context.imageSmoothingQuality = "high"
    context.drawImage(this.relief, left, top, side, side)
    const { records, moment } = store
    const [x0, x1] = surface.x
    const [y0, y1] = surface.y
    context.save()
    context.beginPath()
    context.rect(left, top, side, side)
    context.clip()
    records.forEach((record, place) => {
      const spot = store.spotOf(record)
      if (!spot) return
      this.path.push({
        place,
        x: left + (side * (spot[0] - x0)) / (x1 - x0),
        y: top + side * (1 - (spot[1] - y0) / (y1 - y0)),
      })
    })
    const trail = (from, to, colour, width, alpha) => {
      context.globalAlpha = alpha
      context.strokeStyle = colour
      context.lineWidth = width
      context.lineJoin = "round"
      context.beginPath()
      for (const point of this.path) {
        if (point.place >= from && point.place <= to) context.lineTo(point.x, point.y)
      }
      context.stroke()
      context.globalAlpha = 1
    }
    trail(0, records.length, palette.background, 3, 0.35)
    trail(0, moment, palette.background, 5, 0.9)
    trail(0, moment, palette.linf, 2.5, 1)
    const now = this.path.filter((point) => point.place <= moment).pop()
    if (now) {
      context.beginPath()
      context.arc(now.x, now.y, 5, 0, 2 * Math.PI)
      context.fillStyle = palette.linf
      context.fill()
      context.lineWidth = 2
      context.strokeStyle = palette.background
      context.stroke()
    }
    context.restore()
    const loss = store.record ? store.record.loss.toPrecision(3) : ""
    const axes = store.plane ? ` (across: ${store.plane.names[0]}; up: ${store.plane.names[1]})` : ""
    canvas.describe(`The loss over a plane of z${axes} with the path so far: ${this.path.filter((point) => point.place <= moment).length} points, at step ${store.record ? store.record.k : 0} a loss of ${loss}`)
  }

  /** The axes in words, or why these cannot be drawn. */
  _say(store, surface) {
    const asked = store.planes[store.axes]
    let words = surface && surface.words ? `${surface.words} ${KEY}` : KEY
    if (asked && asked.refused) words = asked.refused
    else if (store.axes !== "ahead" && !asked) words = "This plane is being drawn."
    else if (store.plane) words = `Across: ${store.plane.names[0]}. Up: ${store.plane.names[1]}. ${store.plane.words}`
    if (this.said.textContent !== words) {
      this.said.textContent = words
      this.said.title = store.plane ? store.plane.statement || "" : ""
    }
    if (this.axes && this.axes.value !== store.axes) this.axes.value = store.axes
    if (this.axes) this.axes.disabled = !store.header || !store.header.latent
  }

  /** The surface as a small picture, its height in logarithms, with lines of equal height. */
  _relief(surface, palette) {
    const [rows, columns] = surface.size
    const fine = 6
    const width = (columns - 1) * fine
    const height = (rows - 1) * fine
    const logs = Float32Array.from(surface.values, (value) => Math.log(Math.max(value, 1e-9)))
    let low = Infinity
    let high = -Infinity
    for (const value of logs) { low = Math.min(low, value); high = Math.max(high, value) }
    const stops = STOPS.map(([name, at]) => [at, rgb(palette[name])])
    this.relief.width = width
    this.relief.height = height
    const context = this.relief.getContext("2d")
    const image = context.createImageData(width, height)
    const lines = 12
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const column = x / fine
        const row = rows - 1 - y / fine // row 0 is the lowest y
        const i = Math.min(columns - 2, Math.floor(column))
        const j = Math.min(rows - 2, Math.floor(row))
        const s = column - i
        const t = row - j
        const at = (r, c) => logs[r * columns + c]
        const value = (at(j, i) * (1 - s) + at(j, i + 1) * s) * (1 - t) + (at(j + 1, i) * (1 - s) + at(j + 1, i + 1) * s) * t
        const share = (value - low) / Math.max(high - low, 1e-9)
        let n = 1
        while (n < stops.length - 1 && stops[n][0] < share) n += 1
        const [from, a] = stops[n - 1]
        const [to, b] = stops[n]
        const part = Math.max(0, Math.min(1, (share - from) / (to - from)))
        const level = share * lines
        const shade = Math.abs(level - Math.round(level)) < 0.035 * (1 + 2 * share) ? 0.9 : 1
        const place = 4 * (y * width + x)
        for (let c = 0; c < 3; c += 1) image.data[place + c] = (a[c] + (b[c] - a[c]) * part) * shade
        image.data[place + 3] = 255
      }
    }
    context.putImageData(image, 0, 0)
  }

  close() { this.canvas.close() }
}
