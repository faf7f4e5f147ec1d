// Pieces of bytes that are there already. A view into a Buffer costs a twelfth of a microsecond, and is mostly all of it or nothing.
// The danger it guards against: five ways to say `subarray`, of which one is off by one.

export const nothing: Buffer = Buffer.alloc(0)

/** The bytes from there, up to `to` or their end: a view, not a copy. */
export function pieceOf(bytes: Buffer, from: number, to = bytes.length): Buffer {
  if (from === 0 && to === bytes.length) return bytes
  return from === to ? nothing : bytes.subarray(from, to)
}
