// The objective, the duality gap and mu over the run, each on its own logarithmic scale.

import { Canvas } from "./paint.js"

const GAP = 10

export class Curves {
  constructor(parent, onChoose) {
    this.canvas = new Canvas(parent, "Curves of the run")
    const choose = (event) => {
      if (this.count > 1) onChoose(Math.round((event.offsetX / this.canvas.width) * (this.count - 1)))
    }
    this.canvas.node.addEventListener("pointerdown", choose)
    this.canvas.node.addEventListener("pointermove", (event) => { if (event.buttons) choose(event) })
  }

  draw(store, palette) {
    const { canvas } = this
    const context = canvas.begin()
    const { header, records, moment } = store
    this.count = store.ended ? records.length : Math.max(records.length, header ? header.planned : 0)
    if (!header || canvas.width < 10) return
    const rows = [
      { name: attacking(store) ? "loss of the classifier" : "loss", colour: palette.text, value: (record) => record.loss },
      { name: "duality gap", colour: palette.certificate, value: (record) => (record.phase === "joint" ? record.gap : NaN) },
      { name: muName(store), colour: palette.accent, value: muOf(store) },
    ]
    const height = (canvas.height - GAP * rows.length) / rows.length
    const x = (place) => (place / Math.max(1, this.count - 1)) * canvas.width
    context.font = "11px 'Source Sans 3', 'Source Sans Pro', sans-serif"
    context.textBaseline = "top"
    phases(context, store, palette, canvas, x)
    const said = []
    rows.forEach((row, number) => {
      const top = number * (height + GAP)
      const values = records.map((record) => row.value(record))
      // The attack's loss is the classifier's, the run's is the objective: each has its own scale.
      const scales = { attack: scaleOf(records, values, true), run: scaleOf(records, values, false) }
      context.strokeStyle = row.colour
      for (const [first, last, alpha] of [[0, moment, 1], [moment, records.length - 1, 0.25]]) {
        context.globalAlpha = alpha
        context.lineWidth = 1.5
        context.beginPath()
        let open = false
        for (let place = Math.max(first, 0); place <= last; place += 1) {
          const value = values[place]
          const breaks = place > 0 && records[place].phase !== records[place - 1].phase
          if (!(value > 0)) { open = false; continue }
          const { low, reach } = scales[records[place].phase === "attack" ? "attack" : "run"]
          const share = Math.max(0, Math.min(1, (Math.log10(value) - low) / reach))
          const y = top + 13 + (height - 14) * (1 - share)
          if (open && !breaks) context.lineTo(x(place), y)
          else context.moveTo(x(place), y)
          open = true
        }
        context.stroke()
      }
      context.globalAlpha = 1
      context.fillStyle = row.colour
      const now = values[moment]
      const number_ = now > 0 ? `  ${short(now)}` : ""
      context.fillText(`${row.name}${number_}`, 2, top)
      if (now > 0) said.push(`${row.name} ${short(now)}`)
    })
    if (moment >= 0) {
      context.strokeStyle = palette.muted
      context.lineWidth = 1
      context.beginPath()
      context.moveTo(x(moment), 0)
      context.lineTo(x(moment), canvas.height)
      context.stroke()
    }
    canvas.describe(said.length ? `At step ${records[moment].k}: ${said.join(", ")}` : "Curves of the run: nothing yet")
  }

  close() { this.canvas.close() }
}

function attacking({ record }) {
  return record !== null && record.phase === "attack"
}

/** The lowest power of ten, and how many there are, of the attack's values or of the run's. */
function scaleOf(records, values, attack) {
  let low = Infinity
  let high = -Infinity
  values.forEach((value, place) => {
    if (!(value > 0) || (records[place].phase === "attack") !== attack) return
    low = Math.min(low, value)
    high = Math.max(high, value)
  })
  const floor = Math.log10(Math.max(low, 1e-12))
  return { low: floor, reach: Math.max(Math.log10(Math.max(high, 1e-12)) - floor, 0.5) }
}

function muName(store) {
  if (store.header.exact_mu) return "μ to the known z*, cₐ*"
  return store.theory ? "μ to the last iterate" : "norm of the proximal-gradient step"
}

/** mu of every record: as it came, or, once known, to the run's last iterate. */
function muOf(store) {
  if (store.header.exact_mu || !store.theory) return (record) => (record.phase === "attack" ? NaN : record.mu)
  const { k, mu } = store.theory
  const by = new Map(Array.from(k, (value, place) => [value, mu[place]]))
  return (record) => (record.phase === "attack" ? NaN : by.get(record.k))
}

/** A background behind every second phase. */
function phases(context, store, palette, canvas, x) {
  context.fillStyle = palette.phase
  const { records } = store
  let first = 0
  for (let place = 1; place <= records.length; place += 1) {
    if (place < records.length && records[place].phase === records[first].phase) continue
    if (records[first].phase !== "joint") context.fillRect(x(first), 0, x(Math.min(place, records.length - 1)) - x(first), canvas.height)
    first = place
  }
}

function short(value) {
  if (value >= 1e4 || value < 1e-3) return value.toExponential(1)
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
