// The row of buttons, the scrubber, the pace, the files; and the same keys for all of them.

import { element } from "./paint.js"

const PACES = [
  ["watch", "whole run in 6 s"], ["3", "3 steps a second"], ["10", "10 steps a second"],
  ["30", "30 steps a second"], ["full", "as fast as it comes"],
]

export class Transport {
  /** actions: primary, step(update), stop, again, show(place), pace(value), truth, loop, save(kind), open(file), own(), another(), tried(). */
  constructor(parent, actions, options) {
    this.actions = actions
    const button = (key, text, title, act, extra = "") => {
      const node = element("button", { type: "button", title, "data-act": key, class: extra }, text)
      node.addEventListener("click", act)
      return node
    }
    this.primary = button("primary", "Run", "Run, pause, go on (space)", () => actions.primary(), "primary")
    this.again = button("again", "Run again", "Begin the run anew", () => actions.again())
    this.steps = [
      button("step-both", "Step", "One step of both (S)", () => actions.step("both")),
      button("step-z", "Move the picture (z)", "One step of z alone (Z)", () => actions.step("z")),
      button("step-c_a", "Move the attack (cₐ)", "One step of c_a alone (A)", () => actions.step("c_a")),
    ]
    this.stop = button("stop", "Stop", "End here; what was found stays (X)", () => actions.stop())
    this.back = button("back", "←", "The moment before (←)", () => actions.move(-1))
    this.forward = button("forward", "→", "The next moment (→)", () => actions.move(1))
    this.end = button("end", "End", "To the end (End key)", () => actions.show(Infinity))
    this.loop = button("loop", "Loop", "Repeat for ever (L)", () => actions.loop())
    this.truth = button("truth", "Show the truth", "x and δ beside what was recovered (T)", () => actions.truth())
    this.pace = element("select", { "aria-label": "Pace", title: "How fast the run is shown" },
      ...PACES.map(([value, text]) => element("option", { value }, text)))
    this.pace.addEventListener("change", () => actions.pace(this.pace.value))
    this.slider = element("input", { type: "range", min: 0, max: 0, value: 0, step: 1, "aria-label": "Moment of the run" })
    this.slider.addEventListener("input", () => actions.show(Number(this.slider.value)))
    this.count = element("output", { class: "count" })
    this.own = button("own", "Run it yourself", "The same run, computed now", () => actions.own(), "primary")
    this.takes = element("span", { class: "takes", role: "note" })
    this.takesText = ""
    this.saves = element("div", { class: "menu" })
    this.menu = element("details", { class: "save" }, element("summary", { title: "Files of this run" }, "Save"), this.saves)
    this.menu.addEventListener("toggle", () => {
      // Where the row wraps, the menu would reach below the sidebar.
      this.saves.classList.remove("rightward")
      const edge = this.menu.closest(".stage").getBoundingClientRect().left
      this.saves.classList.toggle("rightward", this.saves.getBoundingClientRect().left < edge)
    })
    const live = ["live", "pair"].includes(options.controls) // a server computes the run, or two
    const alone = options.controls === "live"
    for (const [kind, { label, help }] of Object.entries(alone ? options.files : {})) {
      this.saves.append(button(`save-${kind}`, label, help, () => { this.menu.open = false; actions.save(kind) }))
    }
    if (alone) {
      this.saves.append(button("open", "Open a record …", "Show a run that was saved", () => {
        const chooser = element("input", { type: "file", accept: ".red" })
        chooser.addEventListener("change", () => { if (chooser.files[0]) actions.open(chooser.files[0]) })
        chooser.click()
      }))
    }
    this.stories = element("select", { "aria-label": "Recorded runs", title: "Recorded runs" })
    this.stories.addEventListener("change", () => { if (this.stories.value) actions.story(this.stories.value) })
    this.another = button("another", "Try another setting", "The same attacked picture undone twice, side by side", () => actions.another())
    this.tried = button("tried", "Runs tried", "Every configuration of this visit", () => actions.tried())
    this.buttons = element("div", { class: "buttons" }, this.primary, this.takes, ...(alone ? [this.own] : []), ...(live ? [this.again, ...this.steps, this.stop] : []),
      this.truth, this.loop, ...(alone ? [this.stories, this.menu, this.another, this.tried] : []))
    this.scrub = element("div", { class: "scrub" }, this.back, this.slider, this.forward, this.end, this.pace, this.count)
    parent.append(this.scrub, this.buttons)
    this.live = live
    this.onKey = (event) => this._key(event)
    document.addEventListener("keydown", this.onKey)
  }

  /** The keys work wherever the focus is, but where a person writes. */
  _key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const [target] = event.composedPath()
    const writes = target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)
      || (target.tagName === "INPUT" && target !== this.slider && target.type !== "range" && target.type !== "radio" && target.type !== "checkbox")
    if (writes) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    if (key === " " && target.tagName === "BUTTON") return
    if (target.tagName === "INPUT" && target !== this.slider && (key.startsWith("Arrow") || key === " " || key === "Home" || key === "End")) return
    const acts = {
      " ": () => this.actions.primary(), ArrowLeft: () => this.actions.move(-1), ArrowRight: () => this.actions.move(1),
      Home: () => this.actions.show(0), End: () => this.actions.show(Infinity), t: () => this.actions.truth(), l: () => this.actions.loop(),
    }
    if (this.live) {
      Object.assign(acts, { s: () => this.actions.step("both"), z: () => this.actions.step("z"), a: () => this.actions.step("c_a"), x: () => this.actions.stop() })
    }
    if (acts[key]) { event.preventDefault(); acts[key]() }
  }

  stories_(list, chosen) {
    this.stories.replaceChildren(element("option", { value: "" }, "Recorded runs"),
      ...list.map(({ title, url }) => element("option", { value: url }, title)))
    this.stories.value = chosen || ""
    this.stories.hidden = !list.length
  }

  /** Say how many configurations have been tried. */
  counted(number) {
    const text = number ? `Runs tried (${number})` : "Runs tried"
    if (this.tried.textContent !== text) this.tried.textContent = text
  }

  draw(store) {
    const { status } = store
    const state = status.state
    const behind = store.moment < store.last
    const moves = store.playing && (behind || state === "running")
    let text = "Play again"
    if (moves) text = "Pause"
    else if (state === "idle") text = "Run"
    else if (state === "running" || state === "paused" || behind) text = state === "paused" && !behind ? "Resume" : "Play"
    if (this.primary.textContent !== text) this.primary.textContent = text
    const steppable = state === "idle" || state === "paused"
    const phase = store.record ? store.record.phase : "attack"
    const nextIsStart = store.header && store.record && phase === "start" && store.record.k < store.header.start_steps
    const takes = state === "idle" && !store.recorded ? this.takesText : ""
    set(this.takes, "textContent", takes)
    set(this.takes, "hidden", !takes)
    set(this.again, "hidden", store.recorded)
    set(this.again, "disabled", !store.ended)
    this.steps.forEach((step, number) => {
      set(step, "hidden", store.recorded)
      set(step, "disabled", !(steppable || (behind && number === 0)) || (number === 2 && (phase === "attack" || nextIsStart)))
    })
    set(this.stop, "hidden", store.recorded)
    set(this.stop, "disabled", !(state === "running" || state === "paused"))
    set(this.own, "hidden", !store.recorded)
    set(this.back, "disabled", store.moment <= 0)
    set(this.forward, "disabled", !behind)
    set(this.end, "disabled", !behind)
    press(this.loop, store.loop)
    press(this.truth, store.truth)
    if (this.pace.value !== store.pace) this.pace.value = store.pace
    const last = Math.max(store.last, 0)
    const most = store.ended || !store.header ? last : Math.max(last, store.header.planned - 1)
    if (this.slider.max !== String(most)) this.slider.max = most
    const value = String(Math.max(store.moment, 0))
    if (this.slider.value !== value) this.slider.value = value
    set(this.slider, "disabled", store.last < 1)
    const record = store.record
    const name = record ? { attack: "attack", start: "start", joint: "undoing" }[record.phase] : "not run yet"
    const count = record ? `${name}, step ${record.k}` : name
    if (this.count.textContent !== count) {
      this.count.textContent = count
      this.slider.setAttribute("aria-valuetext", count)
    }
    for (const node of this.saves.children) {
      if (node.dataset.act && node.dataset.act !== "open") set(node, "disabled", store.recorded || !store.verdict)
    }
  }

  close() { document.removeEventListener("keydown", this.onKey) }
}

function set(node, name, value) {
  if (node[name] !== value) node[name] = value
}

function press(node, value) {
  const text = String(Boolean(value))
  if (node.getAttribute("aria-pressed") !== text) node.setAttribute("aria-pressed", text)
}
