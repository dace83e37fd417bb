// What the browser knows of one run, and the moment that it shows.

import { bytesOf, floatsOf, layoutOf, recordsOf } from "./record.js"

export const FRAMES = 25 // pictures of Figure 4
const WATCH_SECONDS = 6 // in which a whole run is shown at the default pace
const FIRST_CHANGE = 0.004 // mean change of a pixel between two kept frames, doubled where they are many

/** The event of a plane, its numbers read. */
function planeOf(event) {
  const { x, y, size, words } = event
  const [ks, xs, ys] = [event.k, event.spot_x, event.spot_y].map(floatsOf)
  return {
    ...event,
    until: ks[ks.length - 1],
    spots: new Map(Array.from(ks, (k, place) => [k, [xs[place], ys[place]]])),
    surfaces: event.surfaces.map(({ k, values }) => ({ k, x, y, size, words, values: floatsOf(values) })),
  }
}

export class RunStore {
  constructor() {
    this.pace = "watch"
    this.playing = true
    this.loop = false
    this.truth = false
    this.axes = "ahead" // of the plane that is shown
    this.least = { signed: 0, rest: 0 } // ranges that are shown at least: another run's beside it
    this.clear()
  }

  /** Forget the run, not how it is shown. */
  clear() {
    this.header = null
    this.layout = null
    this.clean = null
    this.records = []
    this.surfaces = []
    this.planes = {} // by their axes: those that were asked for
    this.attacked = null
    this.verdict = null
    this.certificate = null
    this.theory = null
    this.status = { state: "idle", place: 0, busy: false, error: "", notice: "" }
    this.received = 0 // items, as the server counts them
    this.epoch = 0
    this.position = 0
    this.until = null // the record at which playing stops by itself
    this.energyLimit = 0
    this.scaleLimit = 0
    this.observedAt = -1 // the record that holds x'
    this.kept = [] // records that the grid of frames shows
    this.change = FIRST_CHANGE
    this.version = (this.version || 0) + 1
  }

  /** Take one event of the run. */
  take(event) {
    this.version += 1
    if (event.event === "header") {
      this.header = event
      this.layout = layoutOf(event)
      this.clean = bytesOf(event.clean)
    } else if (event.event === "surface") {
      this.surfaces.push({ ...event, values: floatsOf(event.values) })
    } else if (event.event === "plane") {
      this.planes[event.axes] = event.refused ? event : planeOf(event)
    } else if (event.event === "attacked") this.attacked = event
    else if (event.event === "verdict") this.verdict = event
    else if (event.event === "certificate") this.certificate = event
    else if (event.event === "theory") {
      this.theory = { ...event, mu: floatsOf(event.mu), k: floatsOf(event.k) }
    } else if (event.event === "state") this.status = event
  }

  /** How many items it has once it has taken this event. */
  after() { return this.received + 1 }

  /** Take whole records in one ArrayBuffer. */
  takeRecords(buffer) {
    const records = recordsOf(buffer, this.layout)
    records.forEach((record) => this._add(record))
    return records.length
  }

  /** Take a whole recorded run. */
  load({ header, records, events }) {
    this.clear()
    this.take({ ...header, event: "header" })
    records.forEach((record) => this._add(record))
    events.forEach((event) => this.take(event))
    this.status = { state: "recorded", place: 0, busy: false, error: "", notice: "" }
  }

  _add(record) {
    const place = this.records.push(record) - 1
    this.version += 1
    if (record.phase === "attack") {
      this.observedAt = place
      return
    }
    for (const value of record.energy) if (value > this.energyLimit) this.energyLimit = value
    this.scaleLimit = Math.max(this.scaleLimit, record.explained_scale)
    const last = this.kept[this.kept.length - 1]
    if (last === undefined || this._difference(last, place) > this.change) this.kept.push(place)
    while (this.kept.length > FRAMES - 1) {
      this.change *= 1.5
      const fewer = []
      for (const each of this.kept) {
        const before = fewer[fewer.length - 1]
        if (before === undefined || this._difference(before, each) > this.change) fewer.push(each)
      }
      this.kept = fewer
    }
  }

  _difference(one, other) {
    const a = this.records[one].image
    const b = this.records[other].image
    let sum = 0
    for (let i = 0; i < a.length; i += 1) sum += Math.abs(a[i] - b[i])
    return sum / a.length / 255
  }

  get last() { return this.records.length - 1 }

  /** The index of the record that is shown, -1 where there is none. */
  get moment() { return Math.min(Math.floor(this.position), this.last) }

  get record() { return this.records[this.moment] || null }

  get recorded() { return this.status.state === "recorded" }

  get ended() { return ["finished", "stopped", "failed", "recorded"].includes(this.status.state) }

  /** Whether the shown moment is the run's last, with its verdict. */
  get atEnd() { return this.verdict !== null && this.moment === this.last }

  /** "playing", "paused" or "end". */
  get playback() {
    if (this.ended && this.moment >= this.last) return "end"
    return this.playing ? "playing" : "paused"
  }

  /** x' as bytes, null before the attack has made it. */
  get observed() {
    if (this.observedAt < 0 || this.moment < 0) return null
    return this.records[Math.min(this.observedAt, Math.max(this.moment, 0))].image
  }

  /** Records a second at the chosen pace; Infinity for whatever has come. */
  get rate() {
    if (this.pace === "full") return Infinity
    if (this.pace === "watch") return Math.max(this.header ? this.header.planned : 100, 30) / WATCH_SECONDS
    return Number(this.pace)
  }

  /** Let `seconds` pass; true where another moment is shown. */
  advance(seconds) {
    const before = this.moment
    if (this.playing && this.records.length) {
      const end = this.last
      if (this.rate === Infinity) this.position = end
      else this.position = Math.min(this.position + seconds * this.rate, end + 0.999)
      if (this.until !== null && this.position >= this.until) {
        Object.assign(this, { position: this.until, until: null, playing: false })
        this.version += 1
      }
      if (this.loop && this.ended && this.position > end + 0.9) {
        this.rest = (this.rest || 0) + seconds
        if (this.rest > 2) { this.position = 0; this.rest = 0 }
      }
    }
    return this.moment !== before
  }

  /** Show a record; what was playing waits. */
  show(place) {
    this.playing = false
    this.until = null
    this.position = Math.max(0, Math.min(place, this.last))
    this.version += 1
  }

  /** Play from one record to another, and stop there. */
  play(from, to) {
    this.show(from)
    this.until = Math.min(to, this.last)
    this.playing = true
  }

  /** The latest surface of the landscape at the shown moment, over the plane that is shown. */
  get surface() {
    let found = null
    const plane = this.plane
    if (plane) {
      const k = this.record && this.record.phase !== "attack" ? this.record.k : -1
      for (const each of plane.surfaces) if (found === null || each.k <= k) found = each
      return found
    }
    for (const each of this.surfaces) if (each.at - 1 <= this.moment) found = each
    return found
  }

  /** The plane with the chosen axes; null where the one chosen ahead of the run is shown. */
  get plane() {
    const plane = this.planes[this.axes]
    return plane && !plane.refused ? plane : null
  }

  /** Where a record's z lies on the plane that is shown, [x, y]; null where it has no place. */
  spotOf(record) {
    const { plane } = this
    if (plane) return record.phase === "attack" ? null : plane.spots.get(record.k) || null
    return Number.isFinite(record.spot_x) ? [record.spot_x, record.spot_y] : null
  }

  /** The range of the rest at the end of what is known, rounded up to 1, 2 or 5 of a power of ten. */
  get restLimit() {
    if (this.restOf === this.version) return Math.max(this.restValue, this.least.rest)
    this.restOf = this.version
    this.restValue = 0
    const record = this.records[this.last]
    if (record && record.phase === "joint") {
      const observed = this.records[this.observedAt].image
      let most = 0
      for (let i = 0; i < observed.length; i += 1) {
        const rest = (observed[i] - record.image[i]) / 255 - (record.explained[i] * record.explained_scale) / 127
        most = Math.max(most, Math.abs(rest))
      }
      const power = 10 ** Math.floor(Math.log10(Math.max(most, 1e-6)))
      this.restValue = power * [1, 2, 5, 10].find((factor) => factor * power >= most)
    }
    return Math.max(this.restValue, this.least.rest)
  }

  /** The range of the signed pictures, one for delta and D_a c_a. */
  get signedLimit() {
    return Math.max(this.attacked ? this.attacked.largest : 0, this.scaleLimit, 0.02, this.least.signed)
  }
}
