// A square to draw in, by mouse, pen or finger. After every stroke the ink goes to Python
// as one byte a pixel, base64.

const SIDE = 112

export default function (component) {
  const { data: asked, parentElement, setStateValue } = component
  const canvas = parentElement.querySelector("canvas")
  canvas.setAttribute("aria-label", asked.label)
  canvas.dataset.pen = asked.pen
  if (canvas.dataset.ready) return
  canvas.dataset.ready = "1"
  const context = canvas.getContext("2d", { willReadFrequently: true })
  context.lineCap = context.lineJoin = "round"
  context.strokeStyle = context.fillStyle = "#ffffff"

  let strokes = []
  let stroke = null

  const place = (event) => {
    const box = canvas.getBoundingClientRect()
    const scale = SIDE / box.width
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]
  }

  const draw = () => {
    context.clearRect(0, 0, SIDE, SIDE)
    for (const { pen, points } of strokes) {
      context.lineWidth = pen
      context.beginPath()
      context.arc(points[0][0], points[0][1], pen / 2, 0, 2 * Math.PI)
      context.fill()
      context.beginPath()
      context.moveTo(points[0][0], points[0][1])
      for (const [x, y] of points) context.lineTo(x, y)
      context.stroke()
    }
  }

  const send = () => {
    if (!strokes.length) {
      setStateValue("ink", "")
      return
    }
    const { data } = context.getImageData(0, 0, SIDE, SIDE)
    let bytes = ""
    for (let i = 3; i < data.length; i += 4) bytes += String.fromCharCode(data[i])
    setStateValue("ink", btoa(bytes))
  }

  canvas.onpointerdown = (event) => {
    event.preventDefault()
    canvas.setPointerCapture(event.pointerId)
    stroke = { pen: Number(canvas.dataset.pen), points: [place(event)] }
    strokes.push(stroke)
    draw()
  }
  canvas.onpointermove = (event) => {
    if (!stroke) return
    stroke.points.push(place(event))
    draw()
  }
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!stroke) return
    stroke = null
    send()
  }
  parentElement.querySelector(".undo").onclick = () => {
    strokes.pop()
    draw()
    send()
  }
  parentElement.querySelector(".clear").onclick = () => {
    strokes = []
    draw()
    send()
  }
}
