// A lesson beside the stage: its text, what moves through it, and the stage's state for each step.

import { Hand } from "./generator.js"

/**
 * Show the lessons in `root`; called again with other data it goes on. Returns the cleanup.
 *
 * data: see pages/ui/learn/view.py; tools: of the stage's modules { mount, element, recordedRun }.
 */
export function open(root, data, tools) {
  if (!root.lessons) root.lessons = new Lessons(root, data, tools)
  root.lessons.update(data)
  return () => {
    if (root.lessons) root.lessons.close()
    root.lessons = null
  }
}

class Lessons {
  constructor(root, data, tools) {
    this.root = root
    this.tools = tools
    this.answered = null
    const { element } = tools
    root.replaceChildren()
    this.text = element("article", { class: "text", tabindex: "-1", "aria-label": "Lesson" })
    this.contents = element("select", { "aria-label": "Lessons" })
    this.contents.addEventListener("change", () => this.go(this.contents.value, 1))
    const button = (act, words, title, by) => {
      const node = element("button", { type: "button", "data-act": act, title }, words)
      node.addEventListener("click", () => this.move(by))
      return node
    }
    this.back = button("lesson-back", "← Back", "The step before (Page Up, B)", -1)
    this.next = button("lesson-next", "Next →", "The next step (Page Down, N)", 1)
    this.where = element("p", { class: "where" })
    this.aside = element("aside", { class: "lesson" }, element("nav", { "aria-label": "Lessons" }, this.contents, this.where),
      this.text, element("div", { class: "moves" }, this.back, this.next))
    this.stageRoot = element("div", { class: "stage" })
    root.append(this.aside, this.stageRoot)
    this.onKey = (event) => this._key(event)
    document.addEventListener("keydown", this.onKey)
  }

  /** Take the data that the server sent; another step only where an address was opened. */
  update(data) {
    const first = !this.data
    const opened = first || data.opened !== this.data.opened
    this.data = data
    this.closeStage = this.tools.mount(this.stageRoot, { palettes: data.palettes, controls: "lesson", pace: "watch", teach: data.teach })
    if (opened) this.go(data.lesson, data.step, true)
  }

  get lesson() { return this.data.lessons.find(({ key }) => key === this.place.lesson) }

  get step() { return this.lesson.steps[this.place.step - 1] }

  /** All steps in the order of back and next: the playlist's, or all there are. */
  get order() {
    const { lessons, playlist } = this.data
    if (playlist.length) return playlist.map(([lesson, step]) => ({ lesson, step }))
    return lessons.flatMap(({ key, steps }) => steps.map((_, i) => ({ lesson: key, step: i + 1 })))
  }

  /** The place in `order`; of a step that a playlist lacks, -1. */
  get at() {
    const { lesson, step } = this.place
    const { order } = this
    if (this.listed !== undefined && order[this.listed] && order[this.listed].lesson === lesson && order[this.listed].step === step) return this.listed
    return order.findIndex((each) => each.lesson === lesson && each.step === step)
  }

  move(by) {
    const place = Math.max(0, this.at + by)
    const to = this.order[place]
    if (to) { this.listed = place; this.go(to.lesson, to.step) }
  }

  go(lesson, step, quiet = false) {
    this.place = { lesson, step }
    this.answered = null
    this._draw()
    this._present(this.step)
    if (!quiet) {
      this.data.report(`${this.data.opened}:${lesson}.${step}`)
      this.text.focus({ preventScroll: true })
    }
    const after = this.order[this.at + 1]
    if (after) {
      const { run } = this.data.lessons.find(({ key }) => key === after.lesson).steps[after.step - 1]
      if (run) this.tools.recordedRun(run).catch(() => {}) // the error is shown with the step
    }
  }

  _present({ run, moment, since, points, truth }) {
    if (run) this.stageRoot.stage.present({ url: run, moment, since, points, truth })
  }

  _draw() {
    const { element } = this.tools
    const { data, lesson, step, place, order, at } = this
    const number = data.lessons.indexOf(lesson) + 1
    this.contents.replaceChildren(...data.lessons.map(({ key, title }, i) => element("option", { value: key }, `${i + 1}. ${title}`)))
    this.contents.value = lesson.key
    this.contents.hidden = data.lessons.length < 2 // the file of one lesson
    const steps = `step ${place.step} of ${lesson.steps.length}`
    if (data.playlist.length) this.where.textContent = `Playlist, ${at + 1} of ${order.length}`
    else this.where.textContent = this.contents.hidden ? `${lesson.title}: ${steps}` : `Lesson ${number} of ${data.lessons.length}, ${steps}`
    this.back.disabled = at <= 0
    this.next.disabled = at >= order.length - 1
    const parts = [element("h2", {}, step.title), ...step.texts.map((text) => element("p", {}, text))]
    if (step.missing) parts.push(element("p", { class: "missing", role: "alert" }, step.missing))
    if (step.since !== null && step.run) {
      const again = element("button", { type: "button", "data-act": "lesson-again" }, "Show it again")
      again.addEventListener("click", () => this._present(step))
      parts.push(again)
    }
    if (step.panel) parts.push(this._panel(step))
    if (place.step === lesson.steps.length) parts.push(...this._end(lesson))
    if (step.symbols.length) {
      parts.push(element("dl", { class: "symbols", "aria-label": "Symbols" },
        ...step.symbols.flatMap(([name, words]) => [element("dt", {}, name), element("dd", {}, words)])))
    }
    if (data.playlist.length) parts.push(this._playlist(order, at))
    this.text.replaceChildren(...parts)
    this.text.scrollTop = 0
    Object.assign(this.root.dataset, { lesson: place.lesson, step: place.step, answered: "" })
  }

  _panel(step) {
    const { element } = this.tools
    const box = element("div", { class: "panel" })
    if (step.panel !== "lambda") {
      new Hand(box, step.panel, this.data.generator, this.tools)
      return box
    }
    const { choices } = this.data
    const chosen = Math.max(0, choices.findIndex(({ run }) => run === step.run))
    const slider = element("input", { type: "range", min: 0, max: choices.length - 1, step: 1, value: chosen, "aria-label": "λ as a share of λₘₐₓ" })
    const words = element("output", {})
    const describe = () => {
      const { share, used, blocks } = choices[slider.value]
      words.textContent = `λ = ${share} λₘₐₓ: ${used} of ${blocks} blocks used`
      slider.setAttribute("aria-valuetext", words.textContent)
      box.dataset.share = share
    }
    slider.addEventListener("input", () => {
      describe()
      const { run, moment } = choices[slider.value]
      this._present({ ...step, run, moment, since: null })
    })
    describe()
    box.append(element("label", { class: "wide" }, element("span", {}, "λ"), slider), words)
    return box
  }

  /** What a lesson ends with: a question, something to try, and pages that show more. */
  _end(lesson) {
    const { element } = this.tools
    const { question, trial, links } = lesson
    const answer = element("p", { class: "answer", "aria-live": "polite" })
    const choices = question.choices.map((text, place) => {
      const node = element("button", { type: "button", class: "choice", "aria-pressed": "false" }, text)
      node.addEventListener("click", () => {
        choices.forEach((each, i) => {
          each.setAttribute("aria-pressed", String(each === node))
          each.classList.toggle("right", i === question.right)
        })
        answer.textContent = `${place === question.right ? "Right. " : "Not so. "}${question.answer}`
        this.root.dataset.answered = place === question.right ? "right" : "wrong"
      })
      return node
    })
    const link = ({ text, href, id }, kind) => {
      const node = element("a", { href, class: kind, "data-go": id }, text)
      node.addEventListener("click", (event) => {
        if (!this.data.leave) return // a file without a server: its links are addresses
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return // another tab
        event.preventDefault()
        this.data.leave(id)
      })
      return node
    }
    return [
      element("section", { class: "question", "aria-label": "A question" }, element("h3", {}, question.text), ...choices, answer),
      ...(trial ? [element("p", { class: "more" }, "Try it live: ", link(trial, "trial"))] : []),
      ...links.map((each) => element("p", { class: "more" }, "See also: ", link(each, "page"))),
    ]
  }

  _playlist(order, at) {
    const { element } = this.tools
    return element("ol", { class: "playlist", "aria-label": "Playlist" }, ...order.map(({ lesson, step }, place) => {
      const found = this.data.lessons.find(({ key }) => key === lesson)
      const node = element("button", { type: "button", "aria-current": place === at ? "step" : null }, `${found.title}: ${found.steps[step - 1].title}`)
      node.addEventListener("click", () => { this.listed = place; this.go(lesson, step) })
      return element("li", {}, node)
    }))
  }

  /** Page Down and N, Page Up and B: also what a presenter's remote control sends. */
  _key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const [target] = event.composedPath()
    if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return
    if (target.tagName === "INPUT" && target.type !== "range") return
    if (target.tagName === "INPUT" && event.key.startsWith("Page")) return // it moves the slider
    const by = { PageDown: 1, n: 1, N: 1, PageUp: -1, b: -1, B: -1 }[event.key]
    if (by) { event.preventDefault(); this.move(by) }
  }

  close() {
    document.removeEventListener("keydown", this.onKey)
    if (this.closeStage) this.closeStage()
  }
}
