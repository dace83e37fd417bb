// What the server draws of a page while its workers are busy: each slot goes to the view that shows it.
//
// A view is a component of the page; it keeps the function that brings it up to date in
// window.redViews, under its slot's name.

import { Connection } from "./socket.js"

/** Watch the stream of a key. Called again with other options it goes on; returns the cleanup. */
export function mountStream(root, options) {
  if (!root.stream) root.stream = new Stream(options)
  root.stream.update(options)
  return () => {
    if (root.stream) root.stream.close()
    root.stream = null
  }
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

  after({ event, drawn }) { return event === "slot" ? Math.max(this.received, drawn) : this.received }

  take(event) {
    this.cut = false
    if (event.event === "stale") this.options.ask()
    const show = event.event === "slot" && window.redViews && window.redViews.get(event.slot)
    if (show) show(event)
  }

  close() {
    this.connection.close()
    this.key = ""
  }
}
