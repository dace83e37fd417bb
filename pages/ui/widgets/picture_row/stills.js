// Pictures in a row with signs between them. A new picture takes the old one's place once it is
// decoded, so nothing flickers and nothing moves.

const show = (image, source) => {
  if (image.dataset.source === source) return
  image.dataset.source = source
  if (!image.src) {
    image.src = source
    return
  }
  const next = new Image()
  next.src = source
  next.decode().then(
    () => {
      if (image.dataset.source === source) image.src = source
    },
    () => {}
  )
}

export default function (component) {
  const { data, parentElement } = component
  const row = parentElement.querySelector(".row")
  row.style.setProperty("--side", `${data.side}px`)
  row.style.setProperty("--count", data.items.length)
  row.style.setProperty("--aspect", data.aspect)
  row.style.setProperty("--rendering", data.rendering)
  if (row.dataset.count !== String(data.items.length)) {
    row.dataset.count = data.items.length
    row.replaceChildren(
      ...data.items.map(() => {
        const cell = document.createElement("div")
        cell.className = "cell"
        cell.innerHTML =
          '<figure><div class="picture"><span class="sign" aria-hidden="true"></span>' +
          '<img decoding="sync"></div><figcaption><b></b><span></span></figcaption></figure>'
        return cell
      })
    )
  }
  data.items.forEach((item, place) => {
    const cell = row.children[place]
    cell.querySelector(".sign").textContent = item.sign
    cell.querySelector("b").textContent = item.name
    cell.querySelector("figcaption span").textContent = item.caption
    const image = cell.querySelector("img")
    image.alt = item.alt
    show(image, item.source)
  })
}
