// Sentences that are brought up to date in place. See __init__.py.

const views = (window.redViews ??= new Map()); // slot -> takes what the server draws: stream.js
const places = new WeakMap(); // parent element -> Words

class Words {
  constructor(root) {
    this.node = root.querySelector(".red-words");
  }

  update({ html, drawn }) {
    if (drawn < this.drawn) return; // overtaken
    this.drawn = drawn;
    if (this.html === html) return;
    this.html = html;
    this.node.innerHTML = html;
  }
}

export default function ({ data, parentElement }) {
  let words = places.get(parentElement);
  if (!words) {
    words = new Words(parentElement);
    places.set(parentElement, words);
  }
  words.update(data);
  views.set(data.slot, (more) => words.update(more));
  return () =>
    setTimeout(() => {
      if (words.node.isConnected) return;
      places.delete(parentElement);
      views.delete(data.slot);
    }, 0);
}
