// What the server draws of a page while its workers are busy: each slot goes to the view that shows it.
//
// A view is a component of the page; it keeps the function that brings it up to date in
// window.redViews, under its slot's name.

import { Connection } from "./socket.js"

const MOST_REST = 1000 // ms
const INPUT_TAKES = 500 // ms from a click until Streamlit shows that it has been asked

/** Watch the stream of a key. Called again with other options it goes on; returns the cleanup. */
export function mountStream(root, options) {
  if (!root.stream) root.stream = new Stream(options)
  root.stream.update(options)
  return () => {
    if (root.stream) root.stream.close()
    root.stream = null
  }
}

let lastInput = -Infinity // when the person last clicked or pressed a key
for (const kind of ["click", "keydown", "popstate"]) {
  window.addEventListener(kind, () => { lastInput = performance.now() }, true)
}

/**
 * Whether to ask for the script now. Where somebody has just chosen another page, or the script is
 * asked for already, this request would take the other's place; the server says "stale" again.
 */
function mayAsk() {
  const app = document.querySelector("[data-test-script-state]")
  const idle = app === null || app.dataset.testScriptState === "notRunning"
  return idle && performance.now() - lastInput > INPUT_TAKES
}

/** Takes the place of a run's store at its connection. */
class Stream {
  constructor(options) {
    Object.assign(this, { received: 0, epoch: 0, version: 0, cut: false, lost: false, position: 0, key: "" })
    this.options = options
  }

  /** Take options: key, have (the number of the script's last drawing), base, ask (lets the script run). */
  update(options) {
    this.options = options
    this.received = Math.max(this.received, options.have)
    if (options.key === this.key) return
    if (this.connection) this.connection.close()
    this.key = options.key
    this.connection = new Connection(this, options.key, options.base, () => {})
  }

  clear() {}

  takeRecords() { return 0 }

  after({ slots }) { return slots ? Math.max(this.received, ...slots.map(({ drawn }) => drawn)) : this.received }

  take({ event, slots }) {
    this.cut = false
    if (event === "stale" && mayAsk()) this.options.ask()
    if (event === "slots") this._show(slots)
  }

  /** Show slots, and ask for the next: after as long a rest as they took, that the page can answer. */
  async _show(slots) {
    const began = performance.now()
    const { connection } = this
    await Promise.all(slots.map((slot) => {
      const show = window.redViews && window.redViews.get(slot.slot)
      return show && show(slot)
    }))
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))
    const took = performance.now() - began
    setTimeout(() => connection.order({ order: "next" }), Math.min(took, MOST_REST))
  }

  close() {
    this.connection.close()
    this.key = ""
  }
}
