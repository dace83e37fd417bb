// A method's card. Its first picture follows the page's scrubber once the method's frames are
// there. See __init__.py.

const cards = new WeakMap(); // parent element -> Card
const views = (window.redViews ??= new Map()); // slot -> takes what the server draws: stream.js
const scrub = (window.redCompare ??= { share: 1 }); // the scrubber's, 0 to 1

const MARKS = { right: "✓ right", wrong: "✗ wrong" };

function element(name, className, parent) {
  const node = document.createElement(name);
  node.className = className;
  parent.append(node);
  return node;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

class Card {
  constructor(root) {
    this.node = root.querySelector(".card");
    const header = element("header", "", this.node);
    this.title = element("h3", "", header);
    this.status = element("span", "status", header);
    this.about = element("p", "about", this.node);
    const row = element("div", "pictures", this.node);
    this.figures = [0, 1].map(() => {
      const figure = element("figure", "", row);
      const picture = element("div", "picture", figure);
      picture.setAttribute("role", "img");
      const instead = element("div", "instead", picture);
      const words = element("figcaption", "", figure);
      return { picture, instead, name: element("b", "", words), caption: element("span", "", words) };
    });
    this.message = element("div", "message", row);
    this.answers = element("dl", "", this.node);
    this.hear = () => this.draw();
    window.addEventListener("red-compare-scrub", this.hear);
  }

  remove() {
    window.removeEventListener("red-compare-scrub", this.hear);
  }

  update(data) {
    if (data.drawn < this.data?.drawn) return; // overtaken
    this.data = data;
    this.node.setAttribute("aria-label", data.title);
    this.node.dataset.busy = data.busy;
    write(this.title, data.title);
    this.title.title = data.title;
    write(this.status, data.status);
    write(this.about, data.about);
    this.about.title = data.about;
    write(this.message, data.message);
    this.answer(data.answers);
    this.draw();
  }

  answer(rows) {
    const text = JSON.stringify(rows);
    if (this.written === text) return;
    this.written = text;
    this.answers.replaceChildren();
    for (const { asked, said, given, mark, colour } of rows) {
      write(element("dt", "", this.answers), asked);
      const word = element("dd", given ? "" : "none", this.answers);
      if (colour) element("i", "dot", word).style.background = colour;
      word.append(said);
      word.title = said;
      const sign = element("dd", "mark", this.answers);
      sign.dataset.mark = mark;
      write(sign, MARKS[mark] ?? "");
    }
  }

  draw() {
    const { pictures, strip } = this.data;
    pictures.forEach((picture, i) => this.show(this.figures[i], picture));
    const count = strip?.captions.length ?? 0;
    if (!count || scrub.share >= 1) return;
    const frame = Math.round(scrub.share * (count - 1));
    const { picture, name, caption } = this.figures[0];
    picture.style.backgroundImage = `url(${strip.source})`;
    picture.style.backgroundSize = `${100 * count}% 100%`;
    picture.style.backgroundPosition = `${count > 1 ? (100 * frame) / (count - 1) : 0}% 0`;
    write(caption, strip.captions[frame]);
    picture.setAttribute("aria-label", `${name.textContent}, ${strip.captions[frame]}`);
  }

  show(figure, { source, name, caption, instead }) {
    const { style } = figure.picture;
    style.backgroundImage = source ? `url(${source})` : "none";
    style.backgroundSize = "100% 100%";
    style.backgroundPosition = "0 0";
    write(figure.name, name);
    write(figure.caption, caption);
    figure.caption.title = caption;
    write(figure.instead, instead);
    figure.picture.setAttribute("aria-label", `${name}: ${instead || caption}`);
  }
}

export default function ({ data, parentElement }) {
  let card = cards.get(parentElement);
  if (!card) {
    card = new Card(parentElement);
    cards.set(parentElement, card);
  }
  card.update(data);
  views.set(data.slot, (more) => card.update(more));
  return () =>
    setTimeout(() => {
      const host = parentElement.host ?? parentElement;
      if (host.isConnected) return;
      card.remove();
      views.delete(data.slot);
      cards.delete(parentElement);
    }, 0);
}
