// The line to the server: every item once, in order, over drops of the connection; orders the other way.

const NO_RUN = 4404
const AWAY = 1000
const KEY = "red.run" // in the tab's sessionStorage: how a reloaded tab finds its runs and pages
const MOST_REMEMBERED = 8

export class Connection {
  /** store: gets the items; key: of the run; base: the server's base path; onState: called after each state. */
  constructor(store, key, base, onState) {
    Object.assign(this, { store, key, base, onState, wait: 250, ended: false, first: true, orders: [] })
    this.open()
  }

  open() {
    const address = new URL(`${this.base}/run`, location.origin)
    address.protocol = address.protocol.replace("http", "ws")
    const socket = new WebSocket(address)
    socket.binaryType = "arraybuffer"
    socket.onopen = () => {
      const { store } = this
      socket.send(JSON.stringify({
        key: this.key, claims: remembered(), epoch: store.epoch, have: store.received,
      }))
    }
    socket.onmessage = ({ data }) => this._take(data)
    socket.onclose = ({ code }) => {
      if (this.ended || socket !== this.socket) return
      if (code === NO_RUN) { this.store.lost = true; this.store.version += 1; return }
      this.store.cut = true
      this.store.version += 1
      this.timer = setTimeout(() => this.open(), this.wait)
      this.wait = Math.min(5000, this.wait * 1.6)
    }
    this.socket = socket
  }

  _take(data) {
    const { store } = this
    if (typeof data !== "string") {
      store.received += store.takeRecords(data)
      return
    }
    const event = JSON.parse(data)
    if (event.event === "epoch") {
      const { cut, lost } = store
      this.before = this.first && event.epoch > 0 // a run that had begun before this page was there
      store.clear()
      Object.assign(store, { epoch: event.epoch, cut, lost })
      return
    }
    store.take(event)
    if (event.event !== "state") { store.received = store.after(event); return }
    this.wait = 250
    this.first = false
    if (this.before) store.position = Math.max(store.last, 0)
    this.before = false
    store.cut = false
    store.lost = false
    if (event.state !== "idle") remember(this.key)
    this.orders.splice(0).forEach((order) => socket_send(this.socket, order))
    this.onState(event)
  }

  /** Send an order, now or as soon as the connection is back. */
  order(order) {
    if (this.socket.readyState === WebSocket.OPEN && !this.store.cut) socket_send(this.socket, order)
    else this.orders.push(order)
  }

  close() {
    this.ended = true
    clearTimeout(this.timer)
    this.socket.close(AWAY)
  }
}

/** The keys of the runs and streams that this tab had before a reload, the last one first. */
function remembered() {
  try {
    const keys = JSON.parse(sessionStorage.getItem(KEY) || "[]")
    return Array.isArray(keys) ? keys : []
  } catch {
    return [] // a browser may deny storage, as in a frame of another site: a reload begins anew
  }
}

function remember(key) {
  try {
    const keys = [key, ...remembered().filter((each) => each !== key)].slice(0, MOST_REMEMBERED)
    sessionStorage.setItem(KEY, JSON.stringify(keys))
  } catch {
    // as above
  }
}

function socket_send(socket, order) {
  socket.send(JSON.stringify(order))
}

/** What a block of a run is made of, at a step; throws an Error with the server's sentence. */
export async function blockOf(base, key, k, label, attack) {
  const answer = await fetch(`${base}/run/block?k=${k}&label=${label}&attack=${attack}`, { method: "POST", headers: { "x-red-run": key } })
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}

/** Ask the server for a file of the run and hand it to the browser. */
export async function saveFile(base, key, kind) {
  const answer = await fetch(`${base}/run/file/${kind}`, { method: "POST", headers: { "x-red-run": key } })
  if (!answer.ok) throw new Error(await answer.text())
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") || "")
  const link = document.createElement("a")
  link.href = URL.createObjectURL(await answer.blob())
  link.download = name ? name[1] : `red-run.${kind}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}
