// A square to draw in, by mouse, pen or finger: one pointer at a time, a mouse by its primary
// button, and no palm beside a pen. After every stroke the ink goes to Python as one byte a pixel,
// base64.

const SIDE = 112
// What is drawn outlives the canvas: who comes back from another source finds it again.
const kept = (window.redDrawing ??= { strokes: [], pen: false })

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

  const { strokes } = kept
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

  const forget = () => {
    strokes.splice(strokes.indexOf(stroke), 1)
    stroke = null
    draw()
  }

  canvas.onpointerdown = (event) => {
    event.preventDefault()
    if (event.button !== 0 || !event.isPrimary) return
    const pen = event.pointerType === "pen"
    if (kept.pen && event.pointerType === "touch") return // the hand that holds the pen
    kept.pen ||= pen
    if (stroke) {
      if (!pen || stroke.type !== "touch") return
      forget() // the palm came first
    }
    canvas.setPointerCapture(event.pointerId)
    stroke = {
      pen: Number(canvas.dataset.pen),
      points: [place(event)],
      pointer: event.pointerId,
      type: event.pointerType,
    }
    strokes.push(stroke)
    draw()
  }
  canvas.onpointermove = (event) => {
    if (event.pointerId !== stroke?.pointer) return
    stroke.points.push(place(event))
    draw()
  }
  canvas.onpointerup = (event) => {
    if (event.pointerId !== stroke?.pointer) return
    stroke = null
    send()
  }
  canvas.onpointercancel = (event) => {
    if (event.pointerId === stroke?.pointer) forget() // the browser took it for no stroke
  }
  parentElement.querySelector(".undo").onclick = () => {
    stroke = null
    strokes.pop()
    draw()
    send()
  }
  parentElement.querySelector(".clear").onclick = () => {
    stroke = null
    strokes.length = 0
    draw()
    send()
  }
  if (strokes.length) {
    draw()
    send()
  }
}
