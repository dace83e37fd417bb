// One Plotly chart on one node, brought up to date by Plotly.react. See __init__.py.
//
// Streamlit calls the default function again with every update, on the same parent element.

import { Pointer } from "./pointer.js";

const CONFIG = { displayModeBar: false, showTips: false, doubleClick: "reset", scrollZoom: false };
const charts = new WeakMap(); // parent element -> Chart
const named = new Map(); // key -> Chart, for the overlays of charts drawn elsewhere
const overlays = new Map(); // key -> the newest overlay, also where its chart is still to come
const overlaid = new Map(); // key -> when that was drawn
const views = (window.redViews ??= new Map()); // slot -> takes what the server draws: stream.js
let library; // the promise of Plotly, one for the page

function loadPlotly(address) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(address, import.meta.url).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      library = undefined; // the next update may try again
      script.remove();
      reject(new Error("plotly.min.js could not be loaded"));
    };
    document.head.append(script);
  });
  return library;
}

function isDark(colour) {
  const hex = colour.trim().match(/^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i);
  const parts = hex ? hex.slice(1).map((v) => parseInt(v, 16)) : colour.match(/[\d.]+/g);
  if (!parts) return false;
  return 0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2] < 128;
}

class Chart {
  constructor(parent, key) {
    this.key = key;
    this.node = document.createElement("div");
    this.node.className = "red-live-chart";
    this.node.style.width = "100%";
    parent.append(this.node);
    named.set(key, this);
    this.drawn = null; // what the node shows, to skip updates that change nothing
    this.waiting = false; // whether something has come since
    this.data = null; // the newest figure, as Python sent it
    this.busy = false;
    this.observer = new ResizeObserver(() => this.resize());
    // A chart that is redrawn under a dragging finger would lose the drag.
    this.pointer = new Pointer(this.node, key, () => this.draw());
  }

  update(data, report) {
    if (data.drawn < this.data?.drawn) return; // overtaken
    this.data = data;
    this.pointer.report = data.clicks ? report : null;
    this.node.style.height = `${data.height}px`;
    return this.refresh();
  }

  // The promise of the drawing.
  refresh() {
    if (!this.data) return; // an overlay that came before its chart
    this.waiting = true;
    return this.draw();
  }

  // What is to be drawn: the figure and the overlay in the colours of the page.
  compose() {
    const style = getComputedStyle(this.node);
    const read = (name) => style.getPropertyValue(name).trim();
    const { figure, dark, library, height } = this.data;
    const extra = overlays.get(this.key) ?? '{"data":[]}';
    const theme = isDark(read("--st-background-color")) ? dark : null;
    const font = read("--st-font");
    const ink = read("--st-text-color");
    const name = JSON.stringify([figure, extra, height, font, ink, theme !== null]);
    return { figure, extra, theme, library, font, ink, name };
  }

  parse(text, theme) {
    if (!theme) return JSON.parse(text);
    return JSON.parse(text.replace(/#[0-9a-f]{6}/g, (colour) => theme[colour] ?? colour));
  }

  async draw() {
    if (this.busy || !this.waiting || this.held()) return;
    this.busy = true;
    try {
      const plotly = await loadPlotly(this.data.library);
      while (this.waiting && !this.held()) {
        this.waiting = false;
        const next = this.compose();
        if (next.name === this.drawn || !this.node.isConnected) continue;
        const figure = this.parse(next.figure, next.theme);
        figure.data.push(...this.parse(next.extra, next.theme).data);
        const font = figure.layout.font ?? {};
        figure.layout.font = { ...font, color: next.ink || font.color, family: next.font || font.family };
        figure.layout.uirevision ??= "keep";
        if (matchMedia("(pointer: coarse)").matches) {
          figure.layout.dragmode = false; // a finger on the chart scrolls the page
        }
        this.keepCamera(figure.layout);
        this.freeRanges();
        if (this.drawn === null) {
          this.node.textContent = "";
          this.observer.observe(this.node);
        }
        await plotly.react(this.node, figure.data, figure.layout, CONFIG);
        if (this.drawn === null) this.pointer.listen();
        this.drawn = next.name;
        this.plotly = plotly;
      }
    } catch (error) {
      console.error(error);
      this.drawn = null;
      this.node.textContent = `This chart could not be drawn: ${error.message}`;
    } finally {
      this.busy = false;
    }
  }

  held() {
    return this.node._dragging || this.pointer.down;
  }

  // Plotly learns of a camera that a mouse has turned, but not of one that a finger has.
  keepCamera(layout) {
    const now = this.node._fullLayout;
    if (!now || now.uirevision !== layout.uirevision) return;
    for (const name of now._subplots?.gl3d ?? []) {
      const camera = now[name]?._scene?.getCamera?.();
      if (camera && layout[name]) layout[name].camera = camera;
    }
  }

  // Axes of one scale (scaleanchor) would keep the range of their first figure in every later one.
  freeRanges() {
    const now = this.node._fullLayout;
    for (const [name, axis] of Object.entries(now ?? {})) {
      if (/^[xy]axis\d*$/.test(name) && axis?._inputRange) axis._inputRange = null;
    }
  }

  resize() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const { clientWidth: width, clientHeight: height } = this.node;
      const now = this.node._fullLayout;
      if (!now || !width || !height || (now.width === width && now.height === height)) return;
      this.plotly.Plots.resize(this.node);
    });
  }

  remove() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.pointer.remove();
    this.waiting = false;
    this.plotly?.purge(this.node);
    this.node.remove();
    if (named.get(this.key) === this) named.delete(this.key);
  }
}

// Traces on top of a chart that is drawn elsewhere, and perhaps not yet.
function overlay(data, parentElement) {
  const show = ({ figure, drawn }) => {
    if (drawn < overlaid.get(data.overlay)) return;
    overlaid.set(data.overlay, drawn);
    overlays.set(data.overlay, figure);
    return named.get(data.overlay)?.refresh();
  };
  show(data);
  if (data.slot) views.set(data.slot, show);
  return () =>
    setTimeout(() => {
      if (parentElement.isConnected) return;
      overlays.delete(data.overlay);
      overlaid.delete(data.overlay);
      views.delete(data.slot);
      named.get(data.overlay)?.refresh();
    }, 0);
}

export default function ({ data, parentElement, setStateValue }) {
  if (data.overlay) return overlay(data, parentElement);
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement, data.name);
    charts.set(parentElement, chart);
  }
  const report = (clicks) => setStateValue("clicks", clicks);
  chart.update(data, report);
  if (data.slot) views.set(data.slot, (more) => chart.update({ ...chart.data, ...more }, report));
  // Streamlit calls this when the chart leaves the page, but also when a newer update has overtaken
  // this one: only a chart that is out of the document is taken down.
  return () =>
    setTimeout(() => {
      if (chart.node.isConnected) return;
      chart.remove();
      views.delete(data.slot);
      if (charts.get(parentElement) === chart) charts.delete(parentElement);
    }, 0);
}
