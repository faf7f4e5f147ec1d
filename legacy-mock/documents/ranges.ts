// Range requests (RFC 9110 §14): which bytes of a document a client wants.
// The danger it guards against: bytes of an old version glued to a new one (If-Range), or one small request for gigabytes.

/** Both ends inclusive. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

const mostRanges = 16

/**
 * @returns undefined where the field is to be ignored and all is sent: another unit, a broken list, or ranges that are too
 * many or overlap (§14.2); `none` where no range lies in the document (416).
 */
export function readRanges(field: string | undefined, bytes: number): readonly ByteRange[] | 'none' | undefined {
  const list = /^bytes=(.*)$/i.exec(field ?? '')?.[1]
  if (list === undefined) return undefined
  const specs = list.split(',').map((spec) => spec.trim())
  if (specs.length > mostRanges) return undefined
  const ranges: ByteRange[] = []
  for (const spec of specs.filter(Boolean)) {
    const range = rangeOf(spec, bytes)
    if (range === undefined) return undefined
    if (range !== 'outside') ranges.push(range)
  }
  if (ranges.length === 0) return specs.some(Boolean) ? 'none' : undefined
  return mayOverlap(ranges) ? undefined : ranges
}

function rangeOf(spec: string, bytes: number): ByteRange | 'outside' | undefined {
  const [, from = '', to = ''] = /^(\d*)-(\d*)$/.exec(spec) ?? []
  if (from === '' && to === '') return undefined
  // -500: the last 500 bytes.
  if (from === '')
    return Number(to) === 0 || bytes === 0 ? 'outside' : { first: Math.max(0, bytes - Number(to)), last: bytes - 1 }
  if (to !== '' && Number(to) < Number(from)) return undefined
  if (Number(from) >= bytes) return 'outside'
  return { first: Number(from), last: to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1) }
}

function mayOverlap(ranges: readonly ByteRange[]): boolean {
  const sorted = [...ranges].sort((a, b) => a.first - b.first)
  return sorted.some((range, index) => range.first <= (sorted[index - 1]?.last ?? -1))
}

/** Whether If-Range lets the ranges be sent (§13.1.5): the same strong tag, or exactly the date of the last change. */
export function mayRange(ifRange: string | undefined, present: { tag: string; changed: string }): boolean {
  return ifRange === undefined || ifRange.trim() === present.tag || ifRange.trim() === present.changed
}
