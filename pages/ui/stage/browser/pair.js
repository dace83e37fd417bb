// Two runs from one x', side by side: one scrubber, one moment k, and what differs there.

import { Blocks } from "./blocks.js"
import { Curves } from "./curves.js"
import { Frames } from "./frames.js"
import { Headline } from "./headline.js"
import { liveStore } from "./main.js"
import { ATTACK_NAMES, element, largest, signed, Theme } from "./paint.js"
import { Pictures } from "./pictures.js"
import { Plane } from "./plane.js"
import { Connection } from "./socket.js"
import { RunStore } from "./store.js"
import { Transport } from "./transport.js"
import { tried } from "./tried.js"
import { Verdict } from "./verdict.js"

const NAMES = ["first", "other"]

/** Show two runs in `root`. Called again with other options it goes on; returns the cleanup. */
export function mountPair(root, options) {
  if (!root.pair) root.pair = new Pair(root, options)
  root.pair.update(options)
  return () => {
    if (root.pair) root.pair.close()
    root.pair = null
  }
}

/**
 * The moments of two runs as one row: the attack's steps, then every k that either has.
 *
 * It is moved as a run's own store is; at a moment each run shows its last record up to that k.
 */
export class BothStore extends RunStore {
  constructor(stores) {
    super()
    this.stores = stores
    this.sync()
  }

  /** Take what has come since; true where something has. */
  sync() {
    const mark = this.stores.map((store) => `${store.version} ${store.epoch}`).join()
    if (mark === this.mark) return false
    this.mark = mark
    const seen = new Map()
    for (const store of this.stores) {
      for (const { phase, k } of store.records) {
        const attack = phase === "attack"
        const key = `${attack ? 0 : 1} ${k}`
        if (!seen.has(key) || phase === "joint") seen.set(key, { phase, k, attack })
      }
    }
    this.records = [...seen.values()].sort((one, other) => other.attack - one.attack || one.k - other.k)
    const headers = this.stores.map(({ header }) => header).filter(Boolean)
    const most = (name) => Math.max(...headers.map((header) => header[name]))
    this.header = headers.length ? { planned: Math.max(this.records.length, most("planned")), start_steps: most("start_steps"), total: most("total") } : null
    const states = this.stores.map(({ status }) => status)
    const state = ["running", "paused", "idle", "failed", "stopped"].find((name) => states.some((each) => each.state === name)) || "finished"
    this.status = { state, busy: states.some(({ busy }) => busy), place: Math.max(...states.map(({ place }) => place)), error: "" }
    this.version += 1
    return true
  }

  /** Put every run at its last record up to the shown moment. */
  place() {
    const at = this.records[this.moment]
    for (const store of this.stores) {
      let found = store.records.length ? 0 : -1
      if (at) {
        store.records.forEach(({ phase, k }, place) => {
          const attack = phase === "attack"
          if (at.attack ? attack && k <= at.k : attack || k <= at.k) found = place
        })
      }
      const { playing, truth } = this
      if (store.position !== found || store.playing !== playing || store.truth !== truth) store.version += 1
      Object.assign(store, { position: Math.max(found, 0), playing, truth })
    }
    this.mark = this.stores.map((store) => `${store.version} ${store.epoch}`).join()
  }
}

/** What both runs say at the shown moment: [words, first, other, whether they differ]. */
export function compared(stores) {
  const rows = []
  const add = (words, tell) => {
    const [first, other] = stores.map((store) => (store.header && store.record ? tell(store) : "–"))
    rows.push([words, first, other, first !== other && first !== "–" && other !== "–"])
  }
  const joint = (tell) => (store) => (store.record.phase === "joint" ? tell(store) : "–")
  const short = (value) => (Number.isFinite(value) ? (value >= 0.001 ? value.toPrecision(3) : "under 0.001") : "–")
  add("step of the run", ({ record, header }) => (record.phase === "attack" ? "the attack" : `${record.k} of ${header.total}`))
  add("the picture reads as", ({ record, header }) => (record.phase === "attack" ? "–" : header.classes[largest(record.psi)]))
  add("strongest block", joint(({ record, header: { attacks, classes } }) => {
    const block = largest(record.energy)
    return record.energy[block] > 0 ? `${ATTACK_NAMES[attacks[block % attacks.length]]}, ${classes[Math.floor(block / attacks.length)]}` : "none"
  }))
  add("blocks used", joint(({ record }) => String(Array.from(record.energy).filter((value) => value > 0).length)))
  add("loss", ({ record }) => (record.phase === "attack" ? "–" : short(record.loss)))
  add("duality gap", joint(({ record }) => short(record.gap)))
  add("verdict: picture", ({ atEnd, verdict, header }) => (atEnd ? header.classes[verdict.signal] : "–"))
  add("verdict: attack", ({ atEnd, verdict }) => (atEnd ? ATTACK_NAMES[verdict.attack] || verdict.attack : "–"))
  return rows
}

class Pair {
  constructor(root, options) {
    this.root = root
    this.options = options
    this.theme = new Theme(root)
    this.connections = [null, null]
    this.stores = [new RunStore(), new RunStore()]
    this.noted = ["", ""]
    this.both = new BothStore(this.stores)
    this._build()
    this.last = performance.now()
    this.tick = () => this._frame()
    this.request = requestAnimationFrame(this.tick)
  }

  _build() {
    const { root } = this
    const section = (parent, name, label) => {
      const node = element("section", { class: name, "aria-label": label })
      parent.append(node)
      return node
    }
    root.replaceChildren()
    this.alert = element("p", { class: "alert", role: "alert", hidden: true })
    root.append(this.alert)
    this.words = section(root, "differences", "How the settings differ")
    this.transport = new Transport(section(root, "transport", "Run and replay"), this._actions(), { ...this.options, controls: "pair" })
    this.now = section(root, "now", "What differs at this step")
    this.body = element("tbody")
    const head = element("tr", {}, ...["at this step", "the first run", "the other run", "differs"].map((text) => element("th", { scope: "col" }, text)))
    this.now.append(element("table", {}, element("caption", {}, "What differs at this step"), element("thead", {}, head), this.body))
    this.less = ["image", "explained"].map((part) => {
      const canvas = element("canvas", { role: "img" })
      const name = { image: "G(z)", explained: "Dₐcₐ" }[part]
      const caption = element("figcaption", {}, element("b", {}, `${name}, first less other`), element("span"))
      this.now.append(element("figure", {}, canvas, caption))
      return { part, name, canvas, scale: caption.lastChild }
    })
    const sides = element("div", { class: "sides" })
    root.append(sides)
    this.sides = NAMES.map((name, number) => {
      const side = element("article", { class: "side", "data-side": name, "aria-label": `The ${name} run` })
      sides.append(side)
      side.append(element("h2", { class: "name" }, `The ${name} run`))
      const view = (part, title) => {
        const box = element("div", { class: "canvas" })
        section(side, part, `${title}, the ${name} run`).append(element("h3", {}, title), box)
        return box
      }
      const show = (place) => this._showOf(number, place)
      const nothing = () => {}
      return {
        headline: new Headline(section(side, "headline", `What the ${name} run shows`)),
        pictures: new Pictures(section(side, "pictures", `The picture and its parts, the ${name} run`), nothing),
        verdict: new Verdict(section(side, "verdict", `The verdict, the ${name} run`), nothing),
        frames: new Frames(view("frames", "The recovered picture, step by step"), show),
        blocks: new Blocks(view("blocks", "How much of each attack is used"), nothing),
        curves: new Curves(view("curves", "Loss, duality gap and μ"), show),
        plane: new Plane(view("plane", "The loss around z, and the path"), show),
      }
    })
  }

  /** Take options: first, other (keys of runs), queries of their links, sentence, differences, begin, pace, palettes. */
  update(options) {
    const before = this.options
    const first = !this.updated
    this.updated = true
    this.options = options
    this.root.dataset.teach = options.teach ? "1" : ""
    if (first || options.pace !== before.pace) this.both.pace = options.pace || "watch"
    this._live(NAMES.map((name) => options[name]))
    const rows = options.differences.map(([name, one, other]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, one), element("td", {}, other)))
    const kept = this.words.querySelector("details")
    const details = element("details", { open: Boolean(kept && kept.open) }, element("summary", {}, "All settings that differ"),
      element("table", {}, element("thead", {}, element("tr", {}, ...["setting", "the first run", "the other run"].map((text) => element("th", { scope: "col" }, text)))), element("tbody", {}, ...rows)))
    this.words.replaceChildren(element("p", { class: "sentence" }, options.sentence), ...(rows.length > 1 ? [details] : []))
  }

  /** Watch the runs of two keys; where both are one run, over one connection. */
  _live(keys) {
    if (this.keys && this.keys.every((key, number) => key === keys[number])) return
    this.keys = keys
    this.connections.forEach((connection, number) => {
      if (!connection || connection.key === keys[number]) return
      connection.close()
      this.connections[number] = null
    })
    this.stores = keys.map((key) => liveStore(key))
    this.noted = ["", ""]
    const { position, pace, loop, truth, playing } = this.both
    this.both = Object.assign(new BothStore(this.stores), { position, pace, loop, truth, playing })
    keys.forEach((key, number) => {
      if (this._connection(number)) return
      let begun = false
      this.connections[number] = new Connection(this.stores[number], key, this.options.base, (event) => {
        if (event.state === "idle" && this.options.begin && !begun) this._order(number, { order: "begin", speed: this._speed() })
        begun = true
      })
    })
  }

  _connection(number) {
    return this.connections.find((each) => each && each.key === this.keys[number])
  }

  _order(number, order) {
    const connection = this._connection(number)
    if (connection) connection.order(order)
  }

  /** Give an order to each run that is in one of these states, or to all; once where both are one. */
  _each(order, wanted = null) {
    this.stores.forEach((store, number) => {
      if (this.stores.indexOf(store) === number && (!wanted || wanted.includes(store.status.state))) this._order(number, order)
    })
  }

  _speed() {
    const speed = Number(this.both.pace)
    return speed > 0 ? speed : null
  }

  _actions() {
    const begin = () => ({ order: "begin", speed: this._speed() })
    return {
      primary: () => {
        const { both } = this
        const { state } = both.status
        const behind = both.moment < both.last
        if (both.playing && (state === "running" || (behind && state !== "idle"))) {
          both.playing = false
          this._each({ order: "pause" }, ["running"])
        } else {
          if (both.ended && !behind) both.position = 0
          both.playing = true
          this._each(begin(), ["idle"])
          this._each({ order: "resume" }, ["paused"])
        }
        both.version += 1
      },
      again: () => {
        Object.assign(this.both, { playing: true, position: 0 })
        this._each(begin())
      },
      step: (update) => {
        const { both } = this
        if (both.moment < both.last && update === "both") { this._show(both.moment + 1); return }
        this._each({ order: "step", update, speed: null }, ["idle", "paused"])
        both.playing = true
      },
      stop: () => this._each({ order: "stop" }, ["running", "paused"]),
      move: (by) => { if (this.both.last >= 0) this._show(this.both.moment + by) },
      show: (place) => this._show(place),
      loop: () => { this.both.loop = !this.both.loop; this.both.version += 1 },
      truth: () => { this.both.truth = !this.both.truth; this.both.version += 1 },
      pace: (value) => {
        this.both.pace = value
        this.both.version += 1
        this._each({ order: "speed", speed: this._speed() })
      },
    }
  }

  _show(place) {
    if (this.both.last < 0) return
    this._each({ order: "pause" }, ["running"])
    this.both.show(place)
  }

  /** Show the moment of one run's record. */
  _showOf(number, place) {
    const record = this.stores[number].records[Math.max(0, Math.min(place, this.stores[number].last))]
    if (!record) return
    const attack = record.phase === "attack"
    this._show(this.both.records.findIndex((each) => each.attack === attack && each.k === record.k))
  }

  _frame() {
    this.request = requestAnimationFrame(this.tick)
    const now = performance.now()
    const seconds = Math.min(0.25, (now - this.last) / 1000)
    this.last = now
    const { both, root, stores } = this
    both.sync()
    both.advance(seconds)
    both.place()
    const views = this.sides.flatMap((side) => [side.frames, side.blocks, side.curves, side.plane])
    if (this.theme.follow(this.options.palettes, now)) this.drawn = ""
    const mark = `${both.version} ${both.moment} ${both.playback} ${stores.map((store) => `${store.version} ${store.moment}`)}`
    if (this.drawn === mark && this.shown === both && !views.some((view) => view.canvas.changed)) return
    this.drawn = mark
    this.shown = both
    this._note()
    const most = (name) => Math.max(...stores.map((store) => store[name])) // one scale for both
    const limit = most("energyLimit")
    const least = { signed: most("signedLimit"), rest: most("restLimit") }
    stores.forEach((store, number) => {
      const side = this.sides[number]
      if (number === 1 && stores[0].attacked) store.attacked = stores[0].attacked // x' is the first run's
      const own = store.energyLimit
      store.energyLimit = limit
      side.headline.draw(store)
      store.least = least
      side.pictures.draw(store, this.theme.palette)
      store.least = { signed: 0, rest: 0 }
      side.verdict.draw(store)
      for (const name of ["frames", "blocks", "curves", "plane"]) side[name].draw(store, this.theme.palette)
      store.energyLimit = own
    })
    this.transport.draw(both)
    this._drawNow()
    const lost = stores.some((store) => store.lost) ? "One of these runs is not kept any more. Reload the page to go on." : ""
    const cut = stores.some((store) => store.cut) ? "The connection is cut. The runs go on, and their pictures come when it is back." : ""
    this.alert.textContent = lost || cut
    this.alert.hidden = !this.alert.textContent
    Object.assign(root.dataset, {
      state: both.status.state, playback: both.playback, records: both.records.length, shown: both.moment,
      steps: stores.map(({ record }) => (record ? `${record.phase} ${record.k}` : "")).join(),
      verdict: stores.every((store) => store.atEnd) ? "shown" : "",
    })
  }

  _drawNow() {
    const { stores, theme: { palette } } = this
    const rows = compared(stores)
    const key = JSON.stringify(rows)
    if (this.said !== key) {
      this.said = key
      this.body.replaceChildren(...rows.map(([words, first, other, differs]) =>
        element("tr", { class: differs ? "differs" : "" }, element("th", { scope: "row" }, words), element("td", {}, first),
          element("td", {}, other), element("td", {}, differs ? "≠" : ""))))
    }
    for (const { part, name, canvas, scale } of this.less) {
      const { header } = stores[0]
      const values = differenceOf(stores, part)
      const [, height, width] = header ? header.shape : [1, 28, 28]
      if (canvas.width !== width) canvas.width = width
      if (canvas.height !== height) canvas.height = height
      const context = canvas.getContext("2d")
      let most = 0
      if (values === null) {
        context.fillStyle = palette.surface
        context.fillRect(0, 0, width, height)
      } else {
        for (const value of values) most = Math.max(most, Math.abs(value))
        const image = context.createImageData(width, height)
        signed(image.data, values, width * height, Math.max(most, 0.02), palette.diverging)
        context.putImageData(image, 0, 0)
      }
      const words = values === null ? "not known yet" : most < 0.005 ? "no difference" : `up to ±${most.toFixed(2)}`
      scale.textContent = words
      canvas.setAttribute("aria-label", `${name} of the first run less that of the other: ${words}`)
    }
  }

  _note() {
    this.stores.forEach((store, number) => {
      const { state } = store.status
      const mark = `${store.epoch} ${state} ${store.verdict !== null}`
      if (state === "idle" || !store.records.length || mark === this.noted[number]) return
      this.noted[number] = mark
      tried.note(store, this.options.queries[number], this.options.labels)
    })
  }

  close() {
    cancelAnimationFrame(this.request)
    this.connections.forEach((connection) => connection && connection.close())
    this.transport.close()
    for (const side of this.sides) for (const name of ["frames", "blocks", "curves", "plane"]) side[name].canvas.close()
  }
}

/** A part of the first run's record less the other's, [C x H x W]; null before both have it. */
export function differenceOf(stores, part) {
  const records = stores.map(({ record }) => record)
  if (records.some((record) => !record || record.phase === "attack")) return null
  const [one, other] = records.map((record) => (part === "image"
    ? [record.image, 1 / 255] : [record.explained, record.explained_scale / 127]))
  if (one[0].length !== other[0].length) return null
  return Float32Array.from(one[0], (value, i) => value * one[1] - other[0][i] * other[1])
}
