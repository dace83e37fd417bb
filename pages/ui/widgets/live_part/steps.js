// The slider over the steps of a run: it follows while the run goes on. See __init__.py.

const views = (window.redViews ??= new Map()); // slot -> takes what the server draws: stream.js
const WAIT = 120; // ms between two steps that a dragging hand asks for
const sliders = new WeakMap(); // parent element -> Steps

class Steps {
  constructor(root) {
    [this.label, this.input, this.output] = root.querySelector(".steps").children;
    this.input.addEventListener("input", () => {
      this.say(this.input.value);
      this.timer ??= setTimeout(() => this.ask(), WAIT);
    });
    this.input.addEventListener("change", () => this.ask());
    this.input.addEventListener("pointerdown", () => { this.held = true; });
    for (const name of ["pointerup", "pointercancel"]) {
      this.input.addEventListener(name, () => { this.held = false; });
    }
  }

  ask() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const k = Number(this.input.value);
    if (k === this.asked) return;
    this.asked = k;
    this.choose(k);
  }

  update(data) {
    if (data.drawn < this.data?.drawn) return; // overtaken
    this.data = data;
    const { label, help, k, first, last, still } = data;
    this.label.textContent = label;
    this.input.title = help;
    this.input.setAttribute("aria-label", label);
    this.input.disabled = !still;
    if (this.held) return; // a hand that holds the slider leads
    this.asked = k;
    this.input.min = first;
    this.input.max = last;
    this.input.value = k;
    this.say(k);
  }

  say(k) {
    this.output.textContent = Number(k).toLocaleString("en-US");
    this.input.setAttribute("aria-valuetext", `step ${this.output.textContent}`);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  let steps = sliders.get(parentElement);
  if (!steps) {
    steps = new Steps(parentElement);
    sliders.set(parentElement, steps);
  }
  steps.choose = (k) => setTriggerValue("k", k);
  steps.update(data);
  views.set(data.slot, (more) => steps.update({ ...steps.data, ...more }));
  return () =>
    setTimeout(() => {
      if (steps.input.isConnected) return;
      sliders.delete(parentElement);
      views.delete(data.slot);
    }, 0);
}
