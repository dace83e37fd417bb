// One position for all cards with frames, as a share of each one's steps. See __init__.py.

const scrubbers = new WeakMap(); // parent element -> Scrubber
const views = (window.redViews ??= new Map()); // slot -> takes what the server draws: stream.js
const scrub = (window.redCompare ??= { share: 1 });
const SECONDS = 6; // from the first step to the last, while it plays

const PLAY = '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 1.5v13l11-6.5z"/></svg>';
const PAUSE =
  '<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M3 2h4v12H3zM9 2h4v12H9z"/></svg>';

class Scrubber {
  constructor(root) {
    const node = root.querySelector(".scrubber");
    node.innerHTML =
      '<button type="button"></button>' +
      '<input type="range" min="0" max="100" step="1" aria-label="Position in every run">' +
      "<output></output>";
    [this.button, this.input, this.output] = node.children;
    this.input.oninput = () => {
      const share = Number(this.input.value) / 100; // before stop() draws the old one
      this.stop();
      this.go(share);
    };
    this.button.onclick = () => (this.frame ? this.stop() : this.play());
  }

  update({ enabled, run, help, drawn }) {
    if (drawn < this.drawn) return; // overtaken
    this.drawn = drawn;
    this.input.disabled = this.button.disabled = !enabled;
    this.input.title = help;
    this.enabled = enabled;
    if (run !== scrub.run) {
      scrub.run = run;
      this.stop();
      this.go(1);
    }
    this.draw();
  }

  go(share) {
    scrub.share = share;
    window.dispatchEvent(new CustomEvent("red-compare-scrub"));
    this.draw();
  }

  play() {
    const from = scrub.share >= 1 ? 0 : scrub.share;
    let began;
    const tick = (now) => {
      began ??= now;
      const share = Math.min(1, from + (now - began) / (1000 * SECONDS));
      this.frame = share < 1 ? requestAnimationFrame(tick) : 0;
      this.go(share);
    };
    this.frame = requestAnimationFrame(tick);
    this.draw();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.draw();
  }

  draw() {
    const percent = Math.round(100 * scrub.share);
    if (Number(this.input.value) !== percent) this.input.value = percent;
    const place = percent === 100 ? "at the end" : `at ${percent}%`;
    const text = this.enabled ? place : "no frames yet";
    if (this.output.textContent !== text) this.output.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
    const icon = this.frame ? PAUSE : PLAY;
    if (this.icon === icon) return;
    this.icon = icon;
    this.button.innerHTML = icon;
    this.button.setAttribute("aria-label", this.frame ? "Pause" : "Play every run at once");
    this.button.title = this.button.getAttribute("aria-label");
  }
}

export default function ({ data, parentElement }) {
  let scrubber = scrubbers.get(parentElement);
  if (!scrubber) {
    scrubber = new Scrubber(parentElement);
    scrubbers.set(parentElement, scrubber);
  }
  scrubber.update(data);
  views.set(data.slot, (more) => scrubber.update(more));
  return () =>
    setTimeout(() => {
      const host = parentElement.host ?? parentElement;
      if (host.isConnected) return;
      scrubber.stop();
      views.delete(data.slot);
      scrubbers.delete(parentElement);
    }, 0);
}
