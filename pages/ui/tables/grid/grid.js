// A table from Python; a click on a figure tells its name.

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".scroll")
  if (box.drawn !== data.table) {
    box.drawn = data.table
    box.innerHTML = data.table
    box.setAttribute("aria-label", data.label)
  }
  for (const button of box.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.name === data.chosen))
    button.onclick = () => setTriggerValue("chosen", button.dataset.name)
  }
}
