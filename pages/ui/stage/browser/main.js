// The stage: everything that shows one moment of a run, and what moves it.

import { Blocks } from "./blocks.js"
import { Curves } from "./curves.js"
import { Frames } from "./frames.js"
import { Headline } from "./headline.js"
import { Inspector } from "./inspect.js"
import { element, Theme } from "./paint.js"
import { Pictures } from "./pictures.js"
import { Plane } from "./plane.js"
import { readRun } from "./record.js"
import { blockOf, Connection, saveFile } from "./socket.js"
import { RunStore } from "./store.js"
import { Transport } from "./transport.js"
import { tried, TriedView } from "./tried.js"
import { Verdict } from "./verdict.js"

const stores = new Map() // by key: a page that is left and come back to finds its records
const MOST_STORES = 4
const STILL = matchMedia("(prefers-reduced-motion: reduce)")

/** Show a run in `root`. Called again with other options it goes on; returns the cleanup. */
export function mount(root, options) {
  if (!root.stage) root.stage = new Stage(root, options)
  root.stage.update(options)
  return () => {
    if (root.stage) root.stage.close()
    root.stage = null
  }
}

/** The store of a run's key: what had come of it is still there. */
export function liveStore(key) {
  const store = stores.get(key) || new RunStore()
  stores.delete(key)
  stores.set(key, store)
  while (stores.size > MOST_STORES) stores.delete(stores.keys().next().value)
  return store
}

const recordings = new Map() // by address: lessons go to and fro between a few
const MOST_RECORDINGS = 12

/** The run at an address, fetched and read once. */
export function recordedRun(url) {
  if (!recordings.has(url)) {
    const reading = fetch(url).then(async (answer) => {
      if (!answer.ok) throw new Error("This recorded run could not be loaded.")
      return readRun(await answer.arrayBuffer())
    })
    recordings.set(url, reading)
    reading.catch(() => recordings.delete(url))
    while (recordings.size > MOST_RECORDINGS) recordings.delete(recordings.keys().next().value)
  }
  return recordings.get(url)
}

/** The part of a configuration in which a second run from the same x' may differ, for a link. */
function otherOf(query) {
  const names = Object.keys(query).filter((name) => /^(preset|generator|seed|solver\..+)$/.test(name))
  return Object.fromEntries(names.map((name) => [`other.${name}`, query[name]]))
}

class Stage {
  constructor(root, options) {
    this.root = root
    this.options = options
    this.theme = new Theme(root)
    this.store = new RunStore()
    this.paints = 0
    this.built = []
    this._build()
    this.last = performance.now()
    this.tick = () => this._frame()
    this.request = requestAnimationFrame(this.tick)
  }

  _build() {
    const { root } = this
    const place = (name, title) => {
      const node = element("section", { class: name, "aria-label": title || name })
      root.append(node)
      return node
    }
    const view = (name, title) => {
      const box = element("div", { class: "canvas" })
      place(name, title).append(element("h3", {}, title), box)
      return box
    }
    root.replaceChildren()
    this.alert = element("p", { class: "alert", role: "alert", hidden: true })
    root.append(this.alert)
    this.headline = new Headline(place("headline", "What is shown"))
    const open = (what) => this._open(what)
    this.pictures = new Pictures(place("pictures", "The picture and its parts"), (row, column) => open({ kind: "pixel", row, column }))
    const show = (moment) => this._show(moment)
    this.frames = new Frames(view("frames", "The recovered picture, step by step"), show)
    this.blocks = new Blocks(view("blocks", "How much of each attack is used"), (label, attack) => open({ kind: "block", label, attack }))
    this.curves = new Curves(view("curves", "Loss, duality gap and μ"), show)
    this.plane = new Plane(view("plane", "The loss around z, and the path"), show, (axes) => this._axes(axes))
    this.verdict = new Verdict(place("verdict", "The verdict"), (kind) => open({ kind }))
    this.transport = new Transport(place("transport", "Run and replay"), this._actions(), this.options)
    this.inspector = new Inspector(place("inspect"), (k, label, attack) => {
      const { connection, options } = this
      return connection ? () => blockOf(options.base, connection.key, k, label, attack) : null
    }, () => this._open(null))
    this.tried = new TriedView(place("tried"), tried, {
      onOpen: (query) => { this.tried.show(false); this._ask({ ...query, to: "run" }) },
      onPair: (first, other) => this._ask({ ...first, ...otherOf(other), to: "pair" }),
      onClose: () => this._list(false),
      page: () => `${location.origin}${this.options.base || ""}/`,
    })
    this.onKey = (event) => {
      if (event.key !== "Escape") return
      if (this.inspector.what) this._open(null)
      else if (this.tried.isOpen) this._list(false)
    }
    document.addEventListener("keydown", this.onKey)
  }

  /** Show what an element is made of; null closes it. */
  _open(what) {
    if (what) this.inspector.open(what)
    else this.inspector.close()
    this.pictures.spot = what && what.kind === "pixel" ? what : null
    this.store.version += 1
  }

  /** Show the plane with these axes: one that came, or one that the server draws. */
  _axes(axes) {
    const { store, connection } = this
    store.axes = axes
    store.version += 1
    const known = store.planes[axes]
    if (axes === "ahead" || (known && !known.refused && !this._stale(known))) return
    if (connection && store.status.state !== "idle") {
      if (known && known.refused) delete store.planes[axes]
      connection.order({ order: "plane", axes })
    } else if (!known) {
      store.planes[axes] = { axes, refused: store.recorded
        ? "This recorded run keeps no z, only the plane that was chosen as it began. Run it yourself to choose another."
        : "There is no path yet: choose the axes once the run has begun." }
    }
  }

  /** Whether a run has gone on to its end since a plane of it was drawn. */
  _stale(plane) {
    const last = this.store.records[this.store.last]
    return this.store.ended && last.phase === "joint" && plane.until < last.k
  }

  /** Show the list of what was tried, or hide it. */
  _list(open) {
    this.tried.show(open)
    const to = this.root.querySelector(open ? "[data-act=tried-close]" : "[data-act=tried]")
    if (to) to.focus()
  }

  /** Ask the page for what its script decides: a configuration, alone or beside another. */
  _ask(query) {
    this.dismissed = true
    if (this.options.ask) this.options.ask(query)
  }

  /** Take options: run (key), story (address), record (bytes), begin, pace, palettes, ... */
  update(options) {
    const before = this.options
    const first = !this.updated
    this.updated = true
    this.options = options
    this.root.dataset.pace = options.pace || "watch"
    this.root.dataset.teach = options.teach ? "1" : ""
    if (first || options.pace !== before.pace) this.store.pace = options.pace || "watch"
    this.transport.takesText = options.takes || ""
    if (options.stories) this.transport.stories_(options.stories, this.storyUrl)
    if (options.record) {
      readRun(options.record).then((run) => this._recorded(run), (error) => this._alert(error.message))
    } else if (options.story && !this.dismissed && (first || this.storyUrl === options.story)) {
      if (this.storyUrl !== options.story) this._story(options.story)
      this.pending = options.run
    } else if (options.run && (first || options.run !== before.run || !this.connection)) this._live(options.run)
  }

  /** Watch the run of a key. */
  _live(key) {
    if (this.connection && this.connection.key === key) return
    this.query = this.options.query
    this.noted = ""
    this.storyUrl = null
    this.pending = null
    this.transport.stories_(this.options.stories || [], null)
    if (this.connection) this.connection.close()
    const gone = this.store.lost || this.store.cut ? this.store.records.length : 0
    const kept = stores.has(key)
    const { pace, loop } = this.store
    this.store = liveStore(key)
    if (!kept) Object.assign(this.store, { pace, loop })
    this.begun = kept
    this.connection = new Connection(this.store, key, this.options.base, (event) => {
      if (event.state === "idle" && gone && !this.begun) {
        this._alert("The server was restarted, and the run that was here is gone. Press Run to begin it again.")
      } else if (event.state === "idle" && this.options.begin && !this.begun) this._begin()
      this.begun = true
    })
    this.root.dataset.run = key.slice(0, 6)
  }

  /**
   * Show one moment of a recorded run: what a lesson's step sets.
   *
   * url: of the run; since: the record from which it is played up to `moment`, or null; points: the
   * parts of the stage that are marked; truth: whether x and delta are shown.
   */
  async present({ url, moment, since, points, truth }) {
    const asked = this.asked = {}
    this.root.dataset.presented = ""
    try {
      const run = await recordedRun(url)
      if (this.asked !== asked) return
      if (this.storyUrl !== url || !this.store.recorded) this._recorded(run)
      this.storyUrl = url
      const { store } = this
      store.truth = truth
      for (const part of this.root.querySelectorAll("section")) {
        part.classList.toggle("pointed", points.some((name) => part.classList.contains(name)))
      }
      if (since === null || STILL.matches) store.show(moment)
      else store.play(since, moment)
      this.root.dataset.presented = `${url} ${moment}`
    } catch (error) {
      if (this.asked === asked) this._alert(error.message)
    }
  }

  async _story(url) {
    this.storyUrl = url
    try {
      const run = await recordedRun(url)
      if (this.storyUrl !== url) return
      this._recorded(run)
      this.transport.stories_(this.options.stories || [], url)
    } catch (error) {
      this._alert(error.message)
      if (this.pending) this._live(this.pending)
    }
  }

  _recorded(run) {
    if (this.connection) { this.connection.close(); this.connection = null }
    const { pace, loop } = this.store
    this.store = new RunStore()
    Object.assign(this.store, { pace, loop })
    this.store.load(run)
    this.root.dataset.run = "recorded"
    if (STILL.matches) this.store.show(Infinity)
  }

  _begin(extra = {}) {
    const { store } = this
    store.playing = true
    store.position = 0
    this.connection.order({ order: "begin", speed: this._speed(), ...extra })
  }

  /** The steps a second that the solver is held to: none where the run is only shown slower. */
  _speed() {
    const speed = Number(this.store.pace)
    return speed > 0 ? speed : null
  }

  _actions() {
    return {
      primary: () => {
        const { store, connection } = this
        const { state } = store.status
        const behind = store.moment < store.last
        this.dismissed = true
        if (state === "idle") { if (connection) this._begin() } else if (store.playing && (behind || state === "running")) {
          store.playing = false
          if (state === "running" && connection) connection.order({ order: "pause" })
        } else if (state === "paused") {
          store.playing = true
          if (connection) connection.order({ order: "resume" })
        } else {
          if (store.ended && !behind) store.position = 0
          store.playing = true
        }
        store.version += 1
      },
      again: () => { if (this.connection) this._begin() },
      step: (update) => {
        const { store, connection } = this
        if (store.moment < store.last && update === "both") { this._show(store.moment + 1); return }
        if (!connection || !["idle", "paused"].includes(store.status.state)) return
        connection.order({ order: "step", update, speed: null })
        store.playing = true // to the record that comes
      },
      stop: () => { if (this.connection) this.connection.order({ order: "stop" }) },
      move: (by) => { if (this.store.last >= 0) this._show(this.store.moment + by) },
      show: (place) => this._show(place),
      loop: () => { this.store.loop = !this.store.loop; this.store.version += 1 },
      truth: () => { this.store.truth = !this.store.truth; this.store.version += 1 },
      pace: (value) => {
        this.store.pace = value
        this.store.version += 1
        if (this.connection) this.connection.order({ order: "speed", speed: this._speed() })
      },
      save: (kind) => {
        if (!this.connection) return
        saveFile(this.options.base, this.connection.key, kind).catch((error) => this._alert(error.message))
      },
      open: async (file) => {
        try {
          const run = await readRun(await file.arrayBuffer())
          this.dismissed = true
          this.storyUrl = null
          this._recorded(run)
        } catch (error) { this._alert(error.message) }
      },
      own: () => this._ask({ ...this.store.header.settings, to: "run" }),
      another: () => {
        const { store } = this
        if (!store.header) return
        const { run, ...query } = store.recorded ? store.header.settings : this.query
        this._ask({ ...query, ...otherOf(query), to: "pair" }) // the same settings twice, to begin with
      },
      tried: () => this._list(!this.tried.isOpen),
      story: (url) => {
        this.dismissed = false
        if (this.connection) { this.connection.close(); this.connection = null }
        this._story(url)
      },
    }
  }

  _show(place) {
    const { store, connection } = this
    if (store.last < 0) return
    if (store.status.state === "running" && connection) connection.order({ order: "pause" })
    store.show(place)
  }

  _alert(text) {
    this.alert.textContent = text
    this.alert.hidden = !text
    clearTimeout(this.quiet)
    if (text) this.quiet = setTimeout(() => this._alert(""), 12000)
  }

  _frame() {
    this.request = requestAnimationFrame(this.tick)
    const now = performance.now()
    const seconds = Math.min(0.25, (now - this.last) / 1000)
    this.last = now
    const { store, root } = this
    this._note()
    const moved = store.advance(seconds)
    if (this.connection && store.plane && store.verdict && this._stale(store.plane) && this.redrawn !== `${this.connection.key} ${store.epoch}`) {
      this.redrawn = `${this.connection.key} ${store.epoch}`
      this.connection.order({ order: "plane", axes: store.axes })
    }
    const views = [this.frames, this.blocks, this.curves, this.plane]
    const resized = views.some((view) => view.canvas.changed)
    if (this.theme.follow(this.options.palettes, now)) this.drawn = -1
    const mark = `${store.version} ${store.playback}`
    if (!moved && !resized && this.drawn === mark && this.shown === store) return
    if (this.painted !== store.moment || this.shown !== store) this.paints += 1
    this.painted = store.moment
    this.drawn = mark
    this.shown = store
    this.headline.draw(store)
    this.pictures.draw(store, this.theme.palette)
    views.forEach((view) => view.draw(store, this.theme.palette))
    this.verdict.draw(store)
    this.transport.draw(store)
    this.transport.counted(tried.entries.length)
    this.tried.draw()
    this.inspector.draw(store, this.theme.palette, this.pictures.values)
    Object.assign(root.dataset, {
      state: store.status.state, playback: store.playback, records: store.records.length,
      shown: store.moment, paints: this.paints, verdict: store.atEnd ? "shown" : "",
    })
    const lost = store.lost ? "This run is not kept any more: the server was restarted, or nobody watched it for ten minutes. Reload the page to go on." : ""
    const cut = store.cut ? "The connection is cut. The run goes on, and its pictures come when the connection is back." : ""
    if (lost || cut) { this.alert.textContent = lost || cut; this.alert.hidden = false; this.said = true } else if (this.said) { this._alert(""); this.said = false }
  }

  /** Keep the run in the list of what was tried, once as it begins and whenever its state changes. */
  _note() {
    const { store } = this
    const { state } = store.status
    if (store.recorded || state === "idle" || !store.records.length) return
    const mark = `${store.epoch} ${state} ${store.verdict !== null}`
    if (mark === this.noted) return
    this.noted = mark
    tried.note(store, this.query, this.options.labels)
    store.version += 1
  }

  close() {
    cancelAnimationFrame(this.request)
    if (this.connection) this.connection.close()
    this.transport.close()
    document.removeEventListener("keydown", this.onKey)
    for (const view of [this.frames, this.blocks, this.curves, this.plane]) view.canvas.close()
  }
}
