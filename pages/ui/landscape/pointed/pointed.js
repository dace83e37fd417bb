// G(z) of the point of a chart that a mouse or a finger is on. See __init__.py.

const watchers = new WeakMap(); // parent element -> Watcher
const views = (window.redViews ??= new Map()); // slot -> takes what the server draws: stream.js
const sheets = (window.redSheets ??= new Map()); // key -> its sheets, which come by themselves
const NOTHING = { grid: null, frames: null, bounds: [], ks: [] };

class Watcher {
  constructor(root) {
    const row = root.querySelector(".row");
    this.figures = [0, 1, 2].map(() => {
      const figure = document.createElement("figure");
      figure.innerHTML =
        '<div class="picture" role="img"></div><figcaption><b></b><span></span></figcaption>';
      row.append(figure);
      return figure;
    });
    this.picture = this.figures[0].querySelector(".picture");
    this.hear = ({ detail }) => {
      if (!this.data?.charts.includes(detail.chart)) return;
      const points = detail.points;
      this.at = points.find((p) => p.trace === "path") ?? points[0] ?? null;
      this.draw();
    };
    this.come = ({ detail }) => {
      if (detail === this.data?.name) this.draw();
    };
    window.addEventListener("red-hover", this.hear);
    window.addEventListener("red-sheets", this.come);
  }

  remove() {
    window.removeEventListener("red-hover", this.hear);
    window.removeEventListener("red-sheets", this.come);
  }

  get sheets() {
    return sheets.get(this.data.name) ?? NOTHING;
  }

  update(data) {
    if (data.drawn < this.data?.drawn) return; // overtaken
    this.data = data;
    data.beside.forEach(({ source, name, caption, alt }, i) => {
      const figure = this.figures[i + 1];
      const picture = figure.querySelector(".picture");
      picture.style.backgroundImage = `url(${source})`;
      picture.style.backgroundSize = "100% 100%";
      write(figure, name, caption, alt);
    });
    this.draw();
  }

  draw() {
    const { grid, frames, bounds, ks } = this.sheets;
    const { shown } = this.data;
    const at = this.at;
    if (at?.trace === "path" && Number.isFinite(at.customdata?.[0]) && frames) {
      this.frame(nearest(ks, at.customdata[0]), "On the path");
    } else if (at?.trace === "loss" && grid) {
      const [left, right, low, high] = bounds;
      const column = place(at.x, left, right, grid.columns);
      const row = place(at.y, low, high, grid.rows);
      this.show(grid, column, row);
      this.tell("Under the pointer", `G(z) at (${at.x.toFixed(2)}, ${at.y.toFixed(2)})`);
    } else if (frames && ks.length) {
      this.frame(shown, "The iterate looked at");
    } else {
      this.picture.style.backgroundImage = "none";
      this.tell("G(z)", "comes with the slice");
    }
  }

  frame(wanted, name) {
    const { frames, ks } = this.sheets;
    const number = Math.min(wanted, ks.length - 1);
    this.show(frames, number % frames.columns, Math.floor(number / frames.columns));
    this.tell(name, `G(z^k), k = ${ks[number]}`);
  }

  show({ source, columns, rows }, column, row) {
    const { style } = this.picture;
    const share = (place, count) => (count > 1 ? (100 * place) / (count - 1) : 0);
    style.backgroundImage = `url(${source})`;
    style.backgroundSize = `${100 * columns}% ${100 * rows}%`;
    style.backgroundPosition = `${share(column, columns)}% ${share(row, rows)}%`;
  }

  tell(name, text) {
    write(this.figures[0], name, text, `${name}: ${text}`);
  }
}

function write(figure, name, text, label) {
  figure.querySelector("b").textContent = name;
  figure.querySelector("span").textContent = text;
  figure.querySelector(".picture").setAttribute("aria-label", label);
}

const place = (value, low, high, count) =>
  Math.min(count - 1, Math.max(0, Math.round(((value - low) / (high - low)) * (count - 1))));

const nearest = (ks, k) =>
  ks.reduce((best, one, i) => (Math.abs(one - k) < Math.abs(ks[best] - k) ? i : best), 0);

export default function ({ data, parentElement }) {
  if (data.of) {
    const take = (more) => {
      if (more.drawn < sheets.get(data.of)?.drawn) return; // overtaken
      sheets.set(data.of, more);
      window.dispatchEvent(new CustomEvent("red-sheets", { detail: data.of }));
    };
    take(data);
    views.set(data.slot, take);
    return;
  }
  let watcher = watchers.get(parentElement);
  if (!watcher) {
    watcher = new Watcher(parentElement);
    watchers.set(parentElement, watcher);
  }
  watcher.update(data);
  views.set(data.slot, (more) => watcher.update({ ...watcher.data, ...more }));
  return () =>
    setTimeout(() => {
      const host = parentElement.host ?? parentElement;
      if (host.isConnected) return;
      watcher.remove();
      views.delete(data.slot);
      watchers.delete(parentElement);
    }, 0);
}
