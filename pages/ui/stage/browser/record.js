// Reads the records and files of a run (docs/record.md); red_core/recording/record_file.py writes them.

export const PHASES = ["attack", "start", "joint"]
const VERSION = 1
const MAGIC = "RED-RUN\n"
const NUMBERS = [
  "k", "phase", "loss", "gap", "stationarity", "mu", "spot_x", "spot_y", "explained_scale", "seconds",
]

/** The bytes of one record and where its parts begin, from a run's header. */
export function layoutOf(header) {
  const classes = header.classes.length
  const blocks = classes * header.attacks.length
  const pixels = header.shape.reduce((product, side) => product * side, 1)
  const psi = 4 * NUMBERS.length
  const energy = psi + 4 * classes
  const image = energy + 4 * blocks
  const bytes = Math.ceil((image + 2 * pixels) / 4) * 4
  return { classes, blocks, pixels, psi, energy, image, explained: image + pixels, bytes }
}

/** The record that begins at `offset` (a multiple of 4) of an ArrayBuffer. */
export function recordAt(buffer, offset, layout) {
  const numbers = new Float32Array(buffer, offset, NUMBERS.length)
  const record = {
    psi: new Float32Array(buffer, offset + layout.psi, layout.classes),
    energy: new Float32Array(buffer, offset + layout.energy, layout.blocks), // class by class
    image: new Uint8Array(buffer, offset + layout.image, layout.pixels),
    explained: new Int8Array(buffer, offset + layout.explained, layout.pixels),
  }
  NUMBERS.forEach((name, place) => { record[name] = numbers[place] })
  record.phase = PHASES[record.phase]
  return record
}

/** All records of a message: whole records, one after the other. */
export function recordsOf(buffer, layout) {
  const records = []
  for (let offset = 0; offset + layout.bytes <= buffer.byteLength; offset += layout.bytes) {
    records.push(recordAt(buffer, offset, layout))
  }
  return records
}

/** Base64 text as bytes. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
}

/** Base64 text of little-endian float32 as numbers. */
export function floatsOf(text) {
  return new Float32Array(bytesOf(text).buffer)
}

/** The run of a file's bytes: { header, records, events }. Throws an Error with a sentence. */
export async function readRun(bytes) {
  let whole
  try {
    const opened = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
    whole = await new Response(opened).arrayBuffer()
  } catch {
    throw new Error("This file is no recorded run, or it is incomplete.")
  }
  if (new TextDecoder().decode(whole.slice(0, MAGIC.length)) !== MAGIC) {
    throw new Error("This file is no recorded run.")
  }
  const length = new DataView(whole).getUint32(MAGIC.length, true)
  const first = MAGIC.length + 4
  let header
  let records
  try {
    header = JSON.parse(new TextDecoder().decode(whole.slice(first, first + length)))
    records = recordsOf(whole.slice(first + length), layoutOf(header))
  } catch {
    throw new Error("This recorded run is damaged.")
  }
  if (header.version !== VERSION) throw new Error(`This run has version ${header.version} of the format.`)
  if (!records.length || records.length !== header.count) throw new Error("This recorded run is incomplete.")
  return { header, records, events: header.events }
}
