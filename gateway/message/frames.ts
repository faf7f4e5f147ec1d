// Where the frames of a WebSocket end (RFC 6455 §5.2), without looking into them.
// The danger it guards against: a Close of ours in the middle of somebody's frame, which its reader takes for payload.

/** The longest head: two bytes, eight of length, four of mask. */
const mostHeadBytes = 14

/** Going away (RFC 6455 §7.4.1): an unmasked Close frame with code 1001. */
export const goingAway: Buffer = Buffer.from([0x88, 0x02, 0x03, 0xe9])

/** Follows one direction of a connection. */
export class FrameFollower {
  readonly #head = Buffer.alloc(mostHeadBytes)
  #headBytes = 0
  /** Bytes of the payload still to come. */
  #left = 0

  /** Whether the next byte begins a frame. */
  get isAtBoundary(): boolean {
    return this.#headBytes === 0 && this.#left === 0
  }

  /** Takes the next bytes. @returns the index after the first frame that ends in them; -1 when none does */
  follow(bytes: Buffer): number {
    let first = -1
    let at = 0
    while (at < bytes.length) {
      at = this.#left > 0 ? this.#passPayload(bytes, at) : this.#takeHeadByte(bytes, at)
      if (first < 0 && this.isAtBoundary) first = at
    }
    return first
  }

  #passPayload(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#left, bytes.length)
    this.#left -= end - at
    return end
  }

  #takeHeadByte(bytes: Buffer, at: number): number {
    this.#head[this.#headBytes] = bytes[at] as number
    this.#headBytes += 1
    if (this.#headBytes >= 2 && this.#headBytes === headLength(this.#head)) {
      this.#left = payloadLength(this.#head)
      this.#headBytes = 0
    }
    return at + 1
  }
}

function headLength(head: Buffer): number {
  const second = head[1] as number
  const length = second & 0x7f
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0)
}

function payloadLength(head: Buffer): number {
  const length = (head[1] as number) & 0x7f
  if (length === 126) return head.readUInt16BE(2)
  return length === 127 ? Number(head.readBigUInt64BE(2)) : length
}
