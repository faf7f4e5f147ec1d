// The bytes of a client connection that no request has claimed yet, and the head at their beginning.
// The danger it guards against: a head that is judged before it is whole, or waited for although it can never be one of ours.
import { hasHeadEnd } from '../message/grammar.ts'
import { nothing, pieceOf } from '../message/pieces.ts'
import { parseRequestHead, type RequestHead } from './requestHead.ts'

/** Beyond this a head is the general door's business. */
const mostHeadBytes = 16 * 1024

export class Unread {
  #bytes = nothing

  get length(): number {
    return this.#bytes.length
  }

  add(chunk: Buffer): void {
    this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, chunk]) : chunk
  }

  takeAll(): Buffer {
    const bytes = this.#bytes
    this.#bytes = nothing
    return bytes
  }

  /** Takes the head. @returns `more` when it is not whole yet, `foreign` when it is not of this door's grammar; then it stays */
  takeHead(): RequestHead | 'more' | 'foreign' {
    const bytes = this.#bytes
    const head = parseRequestHead(bytes) ?? judge(bytes)
    if (typeof head === 'string') return head
    if (head.bytes > mostHeadBytes) return 'foreign'
    this.#bytes = pieceOf(bytes, head.bytes)
    return head
  }
}

/** What is no whole head of ours. */
function judge(bytes: Buffer): 'more' | 'foreign' {
  return !hasHeadEnd(bytes) && mayBecomeOurs(bytes) ? 'more' : 'foreign'
}

/** What does not begin with a capital (a TLS greeting), or has a line that ends in a bare LF, is no head of ours however long we wait. */
function mayBecomeOurs(bytes: Buffer): boolean {
  const first = bytes[0] as number
  const lf = bytes.indexOf(0x0a)
  const isBare = lf > 0 && bytes[lf - 1] !== 0x0d
  return bytes.length <= mostHeadBytes && !isBare && first >= 0x41 && first <= 0x5a
}
