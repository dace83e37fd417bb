// Colours, canvases and the small pieces of drawing that the views share.

/** Whether the page is dark: from Streamlit's variable, else from the reader's system. */
function isDark(root) {
  const background = getComputedStyle(root).getPropertyValue("--st-background-color").trim()
  const hex = /^#([0-9a-f]{6})$/i.exec(background)
  if (hex) {
    const value = parseInt(hex[1], 16)
    return ((value >> 16) & 255) + ((value >> 8) & 255) + (value & 255) < 384
  }
  return matchMedia("(prefers-color-scheme: dark)").matches
}

const LOOK = 400 // ms between two looks at whether the page is light or dark

/** The palette of a page that may change between light and dark, and its colours on `root`. */
export class Theme {
  constructor(root) { Object.assign(this, { root, palette: null, looked: -Infinity, dark: null }) }

  /** Follow the page; true where the palette is another one now. palettes: { light, dark }. */
  follow(palettes, now) {
    if (now - this.looked <= LOOK) return false
    this.looked = now
    const dark = isDark(this.root)
    if (dark === this.dark) return false
    this.dark = dark
    this.palette = palettes[dark ? "dark" : "light"]
    for (const [name, value] of Object.entries(this.palette)) {
      if (typeof value === "string") this.root.style.setProperty(`--red-${name}`, value)
    }
    return true
  }
}

export function rgb(hex) {
  const value = parseInt(hex.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

/** Between two colours, at a share in [0, 1]. */
export function mix(from, to, share) {
  const a = rgb(from)
  const b = rgb(to)
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * share)).join()})`
}

/** A canvas in the page's own pixels, which says when its size has changed. */
export class Canvas {
  constructor(parent, label) {
    this.node = document.createElement("canvas")
    this.node.setAttribute("role", "img")
    this.node.setAttribute("aria-label", label)
    parent.append(this.node)
    this.context = this.node.getContext("2d")
    this.changed = true
    this.observer = new ResizeObserver(() => this.fit())
    this.observer.observe(parent)
    this.parent = parent
    this.fit()
  }

  fit() {
    const ratio = devicePixelRatio || 1
    const width = this.parent.clientWidth
    const height = this.parent.clientHeight
    if (width === this.width && height === this.height && ratio === this.ratio) return
    Object.assign(this, { width, height, ratio, changed: true })
    this.node.width = Math.max(1, Math.round(width * ratio))
    this.node.height = Math.max(1, Math.round(height * ratio))
  }

  /** Clear, and draw in CSS pixels. */
  begin() {
    this.changed = false
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0)
    this.context.clearRect(0, 0, this.width, this.height)
    return this.context
  }

  describe(text) {
    if (this.node.getAttribute("aria-label") !== text) this.node.setAttribute("aria-label", text)
  }

  close() { this.observer.disconnect() }
}

/** Fill ImageData from bytes [C, H, W], 0..255. */
export function plain(data, bytes, pixels) {
  const colour = bytes.length === 3 * pixels
  for (let i = 0; i < pixels; i += 1) {
    data[4 * i] = bytes[i]
    data[4 * i + 1] = colour ? bytes[pixels + i] : bytes[i]
    data[4 * i + 2] = colour ? bytes[2 * pixels + i] : bytes[i]
    data[4 * i + 3] = 255
  }
}

/** Fill ImageData from signed values [C, H, W] in -limit..limit: a diverging map, or mid-grey in colour. */
export function signed(data, values, pixels, limit, table) {
  const colour = values.length === 3 * pixels
  const middle = (table.length - 1) / 2
  for (let i = 0; i < pixels; i += 1) {
    if (colour) {
      for (let c = 0; c < 3; c += 1) {
        data[4 * i + c] = Math.max(0, Math.min(255, 127.5 + (127.5 * values[c * pixels + i]) / limit))
      }
    } else {
      const share = Math.max(-1, Math.min(1, values[i] / limit))
      const entry = table[Math.round(middle + share * middle)]
      data[4 * i] = entry[0]
      data[4 * i + 1] = entry[1]
      data[4 * i + 2] = entry[2]
    }
    data[4 * i + 3] = 255
  }
}

export const ATTACK_NAMES = { linf: "ℓ∞", l2: "ℓ2", l1: "ℓ1", none: "none", unknown: "unknown" }

/** "a 7", "an ankle boot", "an ℓ1 attack". */
export function a(name) {
  const text = String(name)
  return `${/^(8|11|18|[aeiou])/i.test(text) || text.startsWith("ℓ") ? "an" : "a"} ${text}`
}

/** A share in whole per cent, never rounded up to certainty. */
export function percent(share) {
  return share > 0.99 ? ">99%" : `${Math.round(100 * share)}%`
}

export function largest(values) {
  let best = 0
  for (let i = 1; i < values.length; i += 1) if (values[i] > values[best]) best = i
  return best
}

/** An element with attributes and children. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "")
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value)
  }
  node.append(...children)
  return node
}
