// One Plotly chart on one node, brought up to date by Plotly.react. See __init__.py.
//
// Streamlit calls the default function again with every update, on the same parent element.

const CONFIG = { displayModeBar: false, showTips: false, doubleClick: "reset" };
const charts = new WeakMap(); // parent element -> Chart
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
  constructor(parent) {
    this.node = document.createElement("div");
    this.node.className = "red-live-chart";
    this.node.style.width = "100%";
    parent.append(this.node);
    this.drawn = null; // what the node shows, to skip updates that change nothing
    this.waiting = null; // the newest update not drawn yet
    this.busy = false;
    this.observer = new ResizeObserver(() => this.resize());
    // A chart that is redrawn under a dragging finger would lose the drag.
    this.release = () => setTimeout(() => this.draw(), 0);
    window.addEventListener("pointerup", this.release);
    window.addEventListener("mouseup", this.release);
  }

  update(data) {
    const style = getComputedStyle(this.node);
    const read = (name) => style.getPropertyValue(name).trim();
    const dark = isDark(read("--st-background-color"));
    const text = dark
      ? data.figure.replace(/#[0-9a-f]{6}/g, (colour) => data.dark[colour] ?? colour)
      : data.figure;
    this.node.style.height = `${data.height}px`;
    this.waiting = { text, library: data.library, font: read("--st-font"), ink: read("--st-text-color") };
    this.draw();
  }

  async draw() {
    if (this.busy || !this.waiting || this.node._dragging) return;
    this.busy = true;
    try {
      const plotly = await loadPlotly(this.waiting.library);
      while (this.waiting && !this.node._dragging) {
        const next = this.waiting;
        this.waiting = null;
        const name = JSON.stringify(next);
        if (name === this.drawn || !this.node.isConnected) continue;
        const figure = JSON.parse(next.text);
        const font = figure.layout.font ?? {};
        figure.layout.font = { ...font, color: next.ink || font.color, family: next.font || font.family };
        figure.layout.uirevision ??= "keep";
        if (matchMedia("(pointer: coarse)").matches) {
          figure.layout.dragmode = false; // a finger on the chart scrolls the page
        }
        if (this.drawn === null) {
          this.node.textContent = "";
          this.observer.observe(this.node);
        }
        await plotly.react(this.node, figure.data, figure.layout, CONFIG);
        this.drawn = name;
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
    window.removeEventListener("pointerup", this.release);
    window.removeEventListener("mouseup", this.release);
    this.waiting = null;
    this.plotly?.purge(this.node);
    this.node.remove();
  }
}

export default function ({ data, parentElement }) {
  let chart = charts.get(parentElement);
  if (!chart) {
    chart = new Chart(parentElement);
    charts.set(parentElement, chart);
  }
  chart.update(data);
  // Streamlit calls this when the chart leaves the page, but also when a newer update has overtaken
  // this one: only a chart that is out of the document is taken down.
  return () =>
    setTimeout(() => {
      if (chart.node.isConnected) return;
      chart.remove();
      if (charts.get(parentElement) === chart) charts.delete(parentElement);
    }, 0);
}
