// Figure 4: the recovered picture at moments chosen by how much it has changed.

import { Canvas, largest, plain } from "./paint.js"
import { FRAMES } from "./store.js"

const CAPTION = 15 // CSS pixels

export class Frames {
  constructor(parent, onChoose) {
    this.canvas = new Canvas(parent, "The recovered picture over the run")
    this.atlas = document.createElement("canvas")
    this.places = []
    this.canvas.node.addEventListener("pointermove", (event) => this._cursor(event))
    this.canvas.node.addEventListener("click", (event) => {
      const place = this._at(event)
      if (place !== undefined) onChoose(place)
    })
  }

  _at(event) {
    if (!this.grid) return undefined
    const { left, top, side, columns } = this.grid
    const column = Math.floor((event.offsetX - left) / side)
    const row = Math.floor((event.offsetY - top) / (side + CAPTION))
    if (column < 0 || column >= columns || row < 0) return undefined
    return this.places[row * columns + column]
  }

  _cursor(event) {
    this.canvas.node.style.cursor = this._at(event) === undefined ? "" : "pointer"
  }

  draw(store, palette) {
    const { canvas } = this
    const { header } = store
    const whole = canvas.changed || this.colours !== palette || this.store !== store
    const context = whole ? canvas.begin() : canvas.context
    Object.assign(this, { colours: palette, store })
    if (whole) this.drawn = []
    if (!header || canvas.width < 10) return
    const [, height, width] = header.shape
    const { columns, rows } = fitted(canvas.width, canvas.height)
    const side = Math.floor(Math.min(canvas.width / columns, canvas.height / rows - CAPTION))
    const left = Math.floor(Math.max(0, (canvas.width - side * columns) / 2)) // whole: cells are cleared singly
    this.grid = { left, top: 0, side, columns }
    const { places, marked } = chosen(store)
    this.places = places
    context.imageSmoothingEnabled = false
    context.textAlign = "center"
    context.font = "11px 'Source Sans 3', 'Source Sans Pro', sans-serif"
    if (this.atlas.width !== width) this.atlas.width = width
    if (this.atlas.height !== height) this.atlas.height = height
    const small = this.atlas.getContext("2d", { willReadFrequently: true })
    const image = small.createImageData(width, height)
    for (let slot = 0; slot < Math.min(FRAMES, columns * rows); slot += 1) {
      const x = left + (slot % columns) * side
      const y = Math.floor(slot / columns) * (side + CAPTION)
      const inner = side - 3
      const record = store.records[places[slot]]
      const later = record !== undefined && places[slot] > store.moment
      const cell = `${store.epoch} ${places[slot]} ${later} ${slot === marked} ${x} ${y}`
      if (this.drawn[slot] === cell) continue // most cells are as they were
      this.drawn[slot] = cell
      context.clearRect(x, y, side, side + CAPTION)
      if (!record) {
        context.fillStyle = palette.surface
        context.fillRect(x, y, inner, inner)
        continue
      }
      plain(image.data, record.image, width * height)
      small.putImageData(image, 0, 0)
      context.globalAlpha = later ? 0.25 : 1
      context.drawImage(this.atlas, x, y, inner, inner)
      context.fillStyle = slot === marked ? palette.text : palette.muted
      const name = short(header.classes[largest(record.psi)])
      context.fillText(`${record.k}: ${name}`, x + inner / 2, y + inner + CAPTION - 4, side)
      context.globalAlpha = 1
      if (slot === marked) {
        context.strokeStyle = palette.accent
        context.lineWidth = 2
        context.strokeRect(x + 1, y + 1, inner - 2, inner - 2)
      }
    }
    const said = places.filter((place) => place <= store.moment)
      .map((place) => header.classes[largest(store.records[place].psi)])
    canvas.describe(said.length
      ? `Recovered pictures up to step ${store.record.k}, as the classifier reads them: ${said.join(", ")}`
      : "Recovered pictures: none yet")
  }
}

/** Columns and rows that give the frames the largest side. */
function fitted(width, height) {
  let best = { side: -Infinity }
  for (let columns = 4; columns <= 9; columns += 1) {
    const rows = Math.ceil(FRAMES / columns)
    const side = Math.min(width / columns, height / rows - CAPTION)
    if (side > best.side) best = { columns, rows, side }
  }
  return best
}

/** The kept records in their slots, the shown one in its neighbour's place or after them. */
function chosen(store) {
  const places = [...store.kept]
  const { moment } = store
  const record = store.records[moment]
  if (!record || record.phase === "attack" || !places.length) return { places, marked: -1 }
  if (moment >= store.last && !places.includes(moment)) return { places: [...places, moment], marked: places.length }
  let marked = 0
  places.forEach((place, slot) => { if (place <= moment) marked = slot })
  places[marked] = moment
  return { places, marked }
}

/** A class name that fits under a frame. */
function short(name) {
  return name.length > 9 ? `${name.slice(0, 8)}…` : name
}
