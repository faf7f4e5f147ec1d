// One range of a stored whole (RFC 9110 §14). Several ranges are answered with the whole, as anybody may.
// The danger it guards against: a part whose place in the whole is told wrongly.

export type Part =
  | 'whole'
  | 'unsatisfiable'
  /** Both inclusive. */
  | { readonly first: number; readonly last: number }

/** @param range the value of the Range field */
export function partOf(range: string | undefined, length: number): Part {
  const [, from = '', to = ''] = /^bytes=[\t ]*([0-9]{0,15})-([0-9]{0,15})[\t ]*$/i.exec(range ?? '') ?? []
  if (from === '' && to === '') return 'whole'
  if (from === '') return suffix(Number(to), length)
  const first = Number(from)
  const last = to === '' ? length - 1 : Math.min(Number(to), length - 1)
  // §14.1.1: a range whose end comes before its start is no range.
  if (to !== '' && Number(to) < first) return 'whole'
  return first >= length ? 'unsatisfiable' : { first, last }
}

function suffix(bytes: number, length: number): Part {
  if (bytes === 0 || length === 0) return 'unsatisfiable'
  return { first: Math.max(0, length - bytes), last: length - 1 }
}
