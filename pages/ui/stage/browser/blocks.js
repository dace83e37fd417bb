// How much of each attack is used: ||c_a[i][j]||, a row for every attack, a column for every class.

import { ATTACK_NAMES, Canvas, largest, mix } from "./paint.js"

export class Blocks {
  /** onOpen: called with the class and the attack of a cell that is pointed at. */
  constructor(parent, onOpen) {
    this.canvas = new Canvas(parent, "How much of each attack is used")
    this.canvas.node.addEventListener("click", ({ offsetX, offsetY }) => {
      if (!this.cells) return
      const { left, width, height, classes, attacks } = this.cells
      const [label, attack] = [Math.floor((offsetX - left) / width), Math.floor(offsetY / height)]
      if (label >= 0 && label < classes && attack >= 0 && attack < attacks) onOpen(label, attack)
    })
  }

  draw(store, palette) {
    const { canvas } = this
    const context = canvas.begin()
    const { header, record } = store
    if (!header || canvas.width < 10) return
    const { attacks, classes } = header
    const left = 26
    const long = Math.max(...classes.map((name) => name.length)) > 2
    const foot = long ? 40 : 16
    const width = (canvas.width - left) / classes.length
    const height = (canvas.height - foot) / attacks.length
    const gap = width < 8 ? 0 : 1
    const every = Math.ceil((long ? 14 : 12) / width) // classes to one name, where all do not fit
    const limit = store.energyLimit || 1
    this.cells = { left, width, height, classes: classes.length, attacks: attacks.length }
    context.font = "12px 'Source Sans 3', 'Source Sans Pro', sans-serif"
    context.textBaseline = "middle"
    attacks.forEach((attack, row) => {
      context.fillStyle = palette[attack]
      context.textAlign = "left"
      context.fillText(ATTACK_NAMES[attack], 0, (row + 0.5) * height)
      for (let column = 0; column < classes.length; column += 1) {
        const energy = record && record.phase === "joint" ? record.energy[column * attacks.length + row] : 0
        context.fillStyle = mix(palette.surface, palette[attack], Math.min(1, energy / limit))
        context.fillRect(left + column * width + gap, row * height + 1, width - 2 * gap, height - 2)
      }
    })
    if (store.truth && header.label !== null && attacks.includes(header.attack)) {
      context.strokeStyle = palette.text
      context.lineWidth = 1.5
      const row = attacks.indexOf(header.attack)
      context.strokeRect(left + header.label * width + 1.5 * gap, row * height + 1.5, Math.max(width - 3 * gap, 2), height - 3)
    }
    context.fillStyle = palette.muted
    classes.forEach((name, column) => {
      if (column % every) return
      const x = left + (column + 0.5) * width
      const y = canvas.height - foot + 4
      if (!long) {
        context.textAlign = "center"
        context.fillText(name, x, y + 6)
        return
      }
      context.save()
      context.translate(x + 3, y)
      context.rotate(-Math.PI / 5)
      context.textAlign = "right"
      context.fillText(name.slice(0, 9), 0, 4)
      context.restore()
    })
    if (!record || record.phase !== "joint") canvas.describe("How much of each attack is used: none yet")
    else {
      const best = largest(record.energy)
      const attack = attacks[best % attacks.length]
      canvas.describe(record.energy[best] > 0
        ? `How much of each attack is used at step ${record.k}: most of ${ATTACK_NAMES[attack]}, class ${classes[Math.floor(best / attacks.length)]}, a length of ${record.energy[best].toFixed(3)}`
        : `How much of each attack is used at step ${record.k}: none`)
    }
  }

  close() { this.canvas.close() }
}
