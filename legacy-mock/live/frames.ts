// WebSocket frames as bytes (RFC 6455 §5): out of a client's stream, and into ours.
// The danger it guards against: a length or an opcode believed before it is checked.

export const opcodes = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const
export type Opcode = (typeof opcodes)[keyof typeof opcodes]

export interface Frame {
  readonly isFinal: boolean
  readonly opcode: Opcode
  /** Unmasked. */
  readonly payload: Buffer
}

/** Ends a connection with a close code (§7.4.1): 1002 protocol, 1007 no UTF-8, 1009 too big. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: 1002 | 1007 | 1009

  constructor(code: 1002 | 1007 | 1009, message: string) {
    super(message)
    this.code = code
  }
}

interface Head {
  readonly isFinal: boolean
  readonly opcode: Opcode
  readonly headBytes: number
  readonly payloadBytes: number
}

const known = new Set<number>(Object.values(opcodes))

/** Takes a client's bytes as they come and gives the frames that are complete. */
export class FrameReader {
  readonly #longestPayload: number
  #held: Buffer = Buffer.alloc(0)

  constructor(longestPayload: number) {
    this.#longestPayload = longestPayload
  }

  /** @throws WireError at the first frame that breaks the protocol. */
  *take(bytes: Buffer): Generator<Frame> {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    for (let head = this.#head(); head !== undefined; head = this.#head()) {
      const end = head.headBytes + head.payloadBytes
      if (this.#held.length < end) return
      const mask = this.#held.subarray(head.headBytes - 4, head.headBytes)
      const payload = unmask(this.#held.subarray(head.headBytes, end), mask)
      this.#held = this.#held.subarray(end)
      yield { isFinal: head.isFinal, opcode: head.opcode, payload }
    }
  }

  #head(): Head | undefined {
    const [first, second] = this.#held
    if (first === undefined || second === undefined) return undefined
    if (first & 0x70) throw new WireError(1002, 'a reserved bit is set, but no extension was agreed on')
    if (!(second & 0x80)) throw new WireError(1002, 'a client must mask its frames')
    const opcode = first & 0x0f
    if (!known.has(opcode)) throw new WireError(1002, 'unknown opcode')
    const isFinal = (first & 0x80) !== 0
    const shortLength = second & 0x7f
    if (opcode >= 0x8 && (!isFinal || shortLength > 125))
      throw new WireError(1002, 'a control frame is short and whole')
    const lengthBytes = shortLength === 127 ? 8 : shortLength === 126 ? 2 : 0
    if (this.#held.length < 2 + lengthBytes) return undefined
    const payloadBytes = this.#lengthOf(shortLength)
    if (payloadBytes > this.#longestPayload) throw new WireError(1009, 'the message is too big')
    return { isFinal, opcode: opcode as Opcode, headBytes: 2 + lengthBytes + 4, payloadBytes }
  }

  #lengthOf(shortLength: number): number {
    if (shortLength === 126) return this.#held.readUInt16BE(2)
    return shortLength === 127 ? Number(this.#held.readBigUInt64BE(2)) : shortLength
  }
}

/** A frame of ours: one piece, not masked (§5.1). */
export function frameOf(opcode: Opcode, payload: Buffer): Buffer {
  const first = 0x80 | opcode
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload])
  const isShort = payload.length < 65_536
  const head = Buffer.alloc(isShort ? 4 : 10)
  head[0] = first
  head[1] = isShort ? 126 : 127
  if (isShort) head.writeUInt16BE(payload.length, 2)
  else head.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([head, payload])
}

function unmask(payload: Buffer, mask: Buffer): Buffer {
  const plain = Buffer.allocUnsafe(payload.length)
  for (let index = 0; index < payload.length; index += 1) {
    plain[index] = (payload[index] as number) ^ (mask[index & 3] as number)
  }
  return plain
}
