// One lesson in a file of its own, without a server: see pages/ui/learn/export.py.

import { open } from "./lesson.js"

/** Show the lesson of `data`; embedded: the bytes of a recorded run, or of G, by its name. */
export function openAlone(root, data, embedded, tools) {
  const addresses = new Map()
  const address = (name) => {
    if (!addresses.has(name)) addresses.set(name, URL.createObjectURL(new Blob([embedded(name)])))
    return addresses.get(name)
  }
  for (const each of [...data.lessons.flatMap(({ steps }) => steps), ...data.choices]) each.run = address(each.run)
  if (data.generator) data.generator = address(data.generator)
  open(root, { ...data, report: () => {} }, tools)
}
