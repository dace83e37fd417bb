// When the paper's rule cannot tell two attacks apart: their best blocks leave the same.

import { ATTACK_NAMES } from "./paint.js"

export const TIE = 0.0005 // relative: what is shown as 0.0% more

/** Which attacks tie, in words; header: names the attacks of a row of the residuals. */
export function tied({ attacks }, { block_residuals }) {
  const best = attacks.map((_, row) => Math.min(...block_residuals.map((label) => label[row])))
  const least = Math.min(...best)
  const names = attacks.filter((_, row) => best[row] <= least * (1 + TIE)).map((name) => ATTACK_NAMES[name])
  return `the best blocks of ${names.join(" and ")} leave the same: a tie`
}
