// Every configuration tried in this visit: a list that outlives a reload of its tab, and its table.

import { ATTACK_NAMES, element } from "./paint.js"

export const MOST = 200 // configurations; the oldest make way
const MOST_LETTERS = 1_000_000 // of the list as text: links with images of one's own are long
const PLACE = "red.tried" // in the tab's sessionStorage
const NOT_SETTINGS = ["run", "teach", "pace", "image", "dataset", "source", "index", "label", "attack", "preset"]

/** The list: an entry for each configuration, written again where it is run again. */
export class Tried {
  /** storage: the tab's, or null where a browser denies it; most: entries that are kept. */
  constructor(storage, most = MOST) {
    this.storage = storage
    this.most = most
    this.entries = []
    this.dropped = 0
    this.version = 0
    try {
      const kept = JSON.parse(storage.getItem(PLACE) || "null")
      if (kept && Array.isArray(kept.entries)) Object.assign(this, { entries: kept.entries, dropped: kept.dropped })
    } catch {
      // no storage, or not ours: the list begins empty
    }
  }

  /** Keep what is known of a run that has begun; query: the strings of its link. */
  note(store, query, labels = {}) {
    const { header, verdict, status, records } = store
    if (!header || !records.length || !query) return
    const id = identity(query)
    const before = this.entries.find((entry) => entry.id === id)
    const last = records[records.length - 1]
    const entry = {
      id, query: plainQuery(query), number: before ? before.number : this._next(),
      image: imageOf(header, query), attack: header.attack, label: header.label === null ? null : header.classes[header.label],
      dataset: header.dataset, preset: header.preset, settings: settingsOf(query, labels),
      state: status.state, k: last.phase === "attack" ? null : last.k, total: header.total,
      signal: verdict ? header.classes[verdict.signal] : null, found: verdict ? verdict.attack : null,
      gap: last.phase === "joint" && Number.isFinite(last.gap) ? last.gap : null, seconds: verdict ? verdict.seconds : null,
    }
    this.entries = [...this.entries.filter((each) => each.id !== id), entry]
    this._bound()
  }

  _next() { return this.entries.reduce((most, { number }) => Math.max(most, number), this.dropped) + 1 }

  _bound() {
    let text = JSON.stringify(this)
    while (this.entries.length > this.most || (text.length > MOST_LETTERS && this.entries.length > 1)) {
      this.dropped = Math.max(this.dropped, this.entries.shift().number)
      text = JSON.stringify(this)
    }
    this.version += 1
    try { this.storage.setItem(PLACE, text) } catch { /* full, or denied: the list lives as long as the page */ }
  }

  toJSON() { return { entries: this.entries, dropped: this.dropped } }

  /** The entries in the order of a column; what has no value comes last either way. */
  sorted(column, down) {
    const { value } = COLUMNS.find(({ key }) => key === column)
    const empty = (found) => found === null || found === ""
    return [...this.entries].sort((one, other) => {
      const [a, b] = [value(one), value(other)]
      if (empty(a) || empty(b)) return empty(a) - empty(b) || one.number - other.number
      const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true })
      return (down ? -order : order) || one.number - other.number
    })
  }

  /** The list as CSV (RFC 4180), with the link of each; page: the address that links lead to. */
  csv(page) {
    const head = ["number", "dataset", "image", "class", "attack", "preset", "settings", "state", "step", "steps",
      "picture_found", "attack_found", "duality_gap", "seconds", "link"]
    const rows = this.entries.map((each) => [each.number, each.dataset, each.image, each.label, each.attack, each.preset,
      each.settings, each.state, each.k, each.total, each.signal, each.found, each.gap, each.seconds,
      `${page}?${new URLSearchParams({ ...each.query, run: "1" })}`])
    return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n"
  }
}

/** One value of a CSV: no spreadsheet takes a text for a formula. */
function cell(value) {
  if (value === null || value === undefined) return ""
  if (typeof value === "number") return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
  return `"${text.replaceAll('"', '""')}"`
}

function plainQuery(query) {
  return Object.fromEntries(Object.entries(query).filter(([name]) => !["run", "teach", "pace"].includes(name)))
}

/** One text for a configuration, whatever the order of its strings. */
export function identity(query) {
  return Object.entries(plainQuery(query)).sort().map(([name, value]) => `${name}=${value}`).join("&")
}

function imageOf(header, query) {
  if (header.source === "realizable") return `${header.title}, made by G`
  if (header.source === "own") return `${header.title}, own image`
  return `${header.title}, image ${query.index || 0}`
}

function settingsOf(query, labels) {
  return Object.entries(query).filter(([name]) => !NOT_SETTINGS.includes(name)).map(([name, value]) => {
    const plain = name.replace(/^(other\.)?solver\./, "$1")
    return `${labels[plain] || plain} ${value}`
  }).join(", ")
}

const SIGNS = { true: " ✓", false: " ✗" }
const COLUMNS = [
  { key: "number", title: "No.", value: ({ number }) => number },
  { key: "image", title: "image", value: ({ image }) => image },
  { key: "attack", title: "attack", value: ({ attack }) => attack, shown: ({ attack }) => (attack ? ATTACK_NAMES[attack] || attack : "not known") },
  { key: "preset", title: "preset", value: ({ preset }) => preset },
  { key: "settings", title: "other settings", value: ({ settings }) => settings },
  { key: "signal", title: "picture found", value: ({ signal }) => signal, shown: ({ signal, label, state }) => (signal === null ? stateWords(state) : `${signal}${label === null ? "" : SIGNS[signal === label]}`) },
  { key: "found", title: "attack found", value: ({ found }) => found, shown: ({ found, attack }) => (found === null ? "–" : `${ATTACK_NAMES[found] || found}${attack === null ? "" : SIGNS[found === attack]}`) },
  { key: "gap", title: "duality gap", value: ({ gap }) => gap, shown: ({ gap }) => (gap === null ? "–" : gapWords(gap)) },
  { key: "seconds", title: "seconds", value: ({ seconds }) => seconds, shown: ({ seconds }) => (seconds === null ? "–" : seconds.toFixed(1)) },
]

function gapWords(gap) {
  return gap >= 0.001 ? gap.toPrecision(3) : gap > 0 ? gap.toExponential(1) : "0"
}

function stateWords(state) {
  return { running: "runs", paused: "paused", failed: "failed" }[state] || "not judged"
}

/** The tab's sessionStorage; null where a browser denies it. */
function storageOf() {
  try { return sessionStorage } catch { return null }
}

export const tried = new Tried(storageOf()) // one list for all stages of the visit

export class TriedView {
  /** onOpen(query): show a configuration again; onPair(first, other): two of them side by side. */
  constructor(parent, list, { onOpen, onPair, onClose, page }) {
    Object.assign(this, { parent, list, onOpen, onPair, column: "number", down: true, chosen: [], drawn: -1 })
    const button = (act, text, title, press) => {
      const node = element("button", { type: "button", "data-act": act, title }, text)
      node.addEventListener("click", press)
      return node
    }
    this.words = element("p", {})
    this.save = button("tried-csv", "CSV", "The list as a table for other programs", () => {
      const link = element("a", { download: "red-runs.csv", href: URL.createObjectURL(new Blob([list.csv(page())], { type: "text/csv" })) })
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60000)
    })
    this.pair = button("tried-pair", "Compare the two", "Two chosen runs side by side", () => this._pair())
    this.said = element("p", { class: "said", role: "status" })
    this.head = element("tr", {}, element("th", { scope: "col" }, "choose"), ...COLUMNS.map(({ key, title }) =>
      element("th", { scope: "col", "data-column": key }, button(`sort-${key}`, title, `Sort by ${title}`, () => this._sort(key)))),
    element("th", { scope: "col" }, "open"))
    this.body = element("tbody")
    parent.append(
      element("div", { class: "head" }, element("h3", {}, "Runs tried in this visit"), this.pair, this.save,
        button("tried-close", "×", "Close (Escape)", onClose)),
      this.words, this.said,
      element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of the runs" },
        element("table", {}, element("caption", {}, "Runs tried in this visit"), element("thead", {}, this.head), this.body)))
    parent.querySelector("[data-act=tried-close]").setAttribute("aria-label", "Close")
    parent.setAttribute("role", "dialog")
    parent.setAttribute("aria-label", "Runs tried in this visit")
    parent.hidden = true
  }

  get isOpen() { return !this.parent.hidden }

  show(open) {
    this.parent.hidden = !open
    this.drawn = -1
    if (open) this.draw()
  }

  _sort(key) {
    this.down = this.column === key ? !this.down : false
    this.column = key
    this.drawn = -1
    this.draw()
  }

  _choose(id, on) {
    this.chosen = [...this.chosen.filter((each) => each !== id), ...(on ? [id] : [])].slice(-2)
    this.said.textContent = ""
    this.drawn = -1
    this.draw()
  }

  _pair() {
    const [first, other] = this.chosen.map((id) => this.list.entries.find((each) => each.id === id))
    this.said.textContent = whyNot(first, other)
    if (!this.said.textContent) this.onPair(first.query, other.query)
  }

  draw() {
    if (this.parent.hidden || this.drawn === this.list.version) return
    this.drawn = this.list.version
    const { entries, dropped } = this.list
    this.chosen = this.chosen.filter((id) => entries.some((each) => each.id === id))
    const focused = this.parent.getRootNode().activeElement
    const place = focused && focused.dataset ? focused.dataset.entry : undefined
    const kind = focused ? focused.tagName : ""
    this.words.textContent = entries.length
      ? `${entries.length} of them; ✓ and ✗ say whether the answer is right.${dropped ? ` The first ${dropped} made way for newer ones.` : ""}`
      : "Nothing has been run yet."
    this.save.disabled = !entries.length
    this.pair.disabled = this.chosen.length !== 2
    for (const node of this.head.querySelectorAll("[data-column]")) {
      const sorted = node.dataset.column === this.column
      node.setAttribute("aria-sort", sorted ? (this.down ? "descending" : "ascending") : "none")
    }
    this.body.replaceChildren(...this.list.sorted(this.column, this.down).map((entry) => {
      const box = element("input", { type: "checkbox", "aria-label": `Choose run ${entry.number}`, "data-entry": entry.number })
      box.checked = this.chosen.includes(entry.id)
      box.addEventListener("change", () => this._choose(entry.id, box.checked))
      const open = element("button", { type: "button", "data-entry": entry.number, "aria-label": `Open run ${entry.number}`, title: "Show this configuration again" }, "Open")
      open.addEventListener("click", () => this.onOpen(entry.query))
      return element("tr", { "data-number": entry.number }, element("td", {}, box),
        ...COLUMNS.map(({ key, value, shown }) => element("td", { "data-column": key }, String((shown || value)(entry)))),
        element("td", {}, open))
    }))
    const again = place && this.body.querySelector(`${kind.toLowerCase()}[data-entry="${place}"]`)
    if (again) again.focus()
  }
}

const OF_X = ["dataset", "source", "index", "label", "attack", "eps", "step_size", "attack_steps", "target", "image"]

/** Why two configurations have no x' in common; empty where they can be compared. */
function whyNot(first, other) {
  const differ = OF_X.filter((name) => first.query[name] !== other.query[name])
  const made = first.query.source === "realizable" && ["seed", "generator"].some((name) => first.query[name] !== other.query[name])
  if (Object.keys({ ...first.query, ...other.query }).some((name) => name.startsWith("other."))) return "One of these is a comparison already: open it."
  if (made) return "These two are not of one attacked picture: G makes it from the seed, and theirs differ."
  return differ.length ? `These two are not of one attacked picture: they differ in ${differ.map((name) => name.replace("_", " ")).join(", ")}.` : ""
}
