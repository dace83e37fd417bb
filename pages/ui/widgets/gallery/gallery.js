// Thumbnails of one class, cut out of a sprite; a click (or Enter) chooses one.

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const list = parentElement.querySelector(".thumbnails")
  list.setAttribute("aria-label", data.what === "photograph" ? "Photographs" : "Example images")
  list.style.setProperty("--thumbnail", `${data.side + 10}px`)
  if (list.dataset.sprite !== data.sprite) {
    list.dataset.sprite = data.sprite
    list.replaceChildren(
      ...data.indices.map((index, place) => {
        const button = document.createElement("button")
        button.type = "button"
        button.value = index
        button.style.backgroundImage = `url(${data.sprite})`
        button.style.backgroundSize = `${100 * data.indices.length}% 100%`
        const steps = Math.max(1, data.indices.length - 1)
        button.style.backgroundPosition = `${(100 * place) / steps}% 0`
        return button
      })
    )
  }
  for (const button of list.children) {
    const chosen = Number(button.value) === data.chosen
    button.setAttribute("aria-pressed", String(chosen))
    const marked = data.marked.includes(Number(button.value))
    button.classList.toggle("marked", marked)
    button.title = `${data.label}, ${data.what} ${button.value}${marked ? ", fooled by this attack" : ""}`
    button.setAttribute("aria-label", button.title)
    button.onclick = () => setTriggerValue("chosen", Number(button.value))
  }
}
