// What a mouse or a finger does on a chart: it holds it, hovers over points, and clicks.
//
// Clicks are numbered and sent with the few before them, so that none is lost where two come
// before Python has looked; Python takes each number once.

import { hitAt } from "./hits.js";

const STILL = 6; // CSS pixels: a pointer that moves further drags
const DOUBLE = 300; // ms: the second click of a double click resets the zoom, and counts no more
const KEPT = 8; // clicks that are sent again with the next

export class Pointer {
  // key: the chart's; released: called when a hold of the chart ends.
  constructor(node, key, released) {
    this.node = node;
    this.key = key;
    this.report = null; // called with the clicks, where Python wants to know
    this.down = null; // where a pointer that holds the chart went down
    this.last = { x: 0, y: 0, when: -Infinity }; // the click before
    this.mount = Math.random().toString(36).slice(2, 12);
    this.clicks = [];
    this.count = 0;
    this.press = ({ clientX: x, clientY: y, button, isPrimary }) => {
      this.down = { x, y, still: button === 0 && isPrimary };
    };
    this.move = ({ clientX: x, clientY: y }) => {
      if (this.down && Math.hypot(x - this.down.x, y - this.down.y) > STILL) this.down.still = false;
    };
    this.release = ({ type }) => {
      const { down } = this;
      this.down = null;
      if (down?.still && type === "pointerup") this.click(down);
      setTimeout(released, 0);
    };
    node.addEventListener("pointerdown", this.press, true);
    window.addEventListener("pointermove", this.move, true);
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, this.release, true);
  }

  // Plotly's own events, once there is a plot.
  listen() {
    this.node.on("plotly_hover", ({ points }) => {
      this.hover(
        points.map(({ x, y, customdata, fullData }) => ({ x, y, customdata, trace: fullData?.name }))
      );
    });
    this.node.on("plotly_unhover", () => this.hover([]));
  }

  remove() {
    window.removeEventListener("pointermove", this.move, true);
    for (const name of ["pointerup", "pointercancel"]) {
      window.removeEventListener(name, this.release, true);
    }
  }

  // Others in the page may follow what is pointed at.
  hover(points) {
    window.dispatchEvent(new CustomEvent("red-hover", { detail: { chart: this.key, points } }));
  }

  click({ x, y }) {
    const now = performance.now();
    const { last } = this;
    const again = now - last.when < DOUBLE && Math.hypot(x - last.x, y - last.y) <= STILL;
    this.last = { x, y, when: now };
    const box = this.node.getBoundingClientRect();
    const hit = this.node._fullLayout && !again && hitAt(this.node, x - box.left, y - box.top);
    if (!hit) return;
    this.hover([hit]); // a finger does not hover
    if (!this.report) return;
    this.count += 1;
    this.clicks = [...this.clicks, { number: this.count, ...hit }].slice(-KEPT);
    this.report({ mount: this.mount, clicks: this.clicks });
  }
}
