// A WebSocket conversation (RFC 6455 §5.4–§7): what the client says comes back, in one frame of the same kind.
// The danger it guards against: answers piled up in memory for a client that talks but does not listen.
import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { type Frame, FrameReader, frameOf, type Opcode, opcodes, WireError } from './frames.ts'

/** The longest message, in one frame or many. */
const longestMessage = 1_048_576

/** How long a client may take to close its side behind our last word. */
const closeTimeoutMs = 3000

/** Talks until one side closes. @param stopping fires when the process goes away: 1001 (§7.4.1) */
export function converse(socket: Socket, head: Buffer, stopping: AbortSignal): void {
  const conversation = new Conversation(socket)
  const goAway = () => conversation.close(1001, 'going away')
  stopping.addEventListener('abort', goAway, { once: true })
  socket.on('close', () => stopping.removeEventListener('abort', goAway))
  socket.on('end', () => socket.end())
  socket.on('drain', () => socket.resume())
  socket.on('data', (bytes) => conversation.take(bytes))
  if (stopping.aborted) goAway()
  if (head.length > 0) conversation.take(head)
}

class Conversation {
  readonly #socket: Socket
  readonly #reader = new FrameReader(longestMessage)
  /** The message under way: its opcode and its pieces so far. */
  #opcode: Opcode | undefined
  #pieces: Buffer[] = []
  #pieceBytes = 0
  #isClosing = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  take(bytes: Buffer): void {
    if (this.#isClosing) return
    try {
      for (const frame of this.#reader.take(bytes)) {
        this.#answer(frame)
        if (this.#isClosing) return
      }
    } catch (thrown) {
      if (!(thrown instanceof WireError)) throw thrown
      this.close(thrown.code, thrown.message)
    }
  }

  /** Says the last word, and ends the connection behind it (§7.1.1: the server closes first). */
  close(code: number, reason: string): void {
    if (this.#isClosing) return
    this.#isClosing = true
    const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)])
    payload.writeUInt16BE(code)
    this.#socket.end(frameOf(opcodes.close, payload))
    this.#socket.resume()
    this.#socket.setTimeout(closeTimeoutMs, () => this.#socket.destroy())
  }

  #answer(frame: Frame): void {
    if (frame.opcode === opcodes.ping) this.#send(opcodes.pong, frame.payload)
    else if (frame.opcode === opcodes.close) this.#answerClose(frame.payload)
    else if (frame.opcode !== opcodes.pong) this.#collect(frame)
  }

  #collect({ opcode, isFinal, payload }: Frame): void {
    const isContinuation = opcode === opcodes.continuation
    if (isContinuation === (this.#opcode === undefined)) throw new WireError(1002, 'a fragment out of turn')
    this.#opcode ??= opcode
    this.#pieces.push(payload)
    this.#pieceBytes += payload.length
    if (this.#pieceBytes > longestMessage) throw new WireError(1009, 'the message is too big')
    if (!isFinal) return
    const message = Buffer.concat(this.#pieces)
    const kind = this.#opcode
    this.#pieces = []
    this.#pieceBytes = 0
    this.#opcode = undefined
    if (kind === opcodes.text && !isUtf8(message)) throw new WireError(1007, 'a text is UTF-8')
    this.#send(kind, message)
  }

  #answerClose(payload: Buffer): void {
    const code = payload.length === 0 ? 1000 : payload.length === 1 ? 0 : payload.readUInt16BE()
    if (!mayBeSent(code)) throw new WireError(1002, 'no such close code')
    if (!isUtf8(payload.subarray(2))) throw new WireError(1007, 'a reason is UTF-8')
    this.close(code, payload.toString('utf8', 2))
  }

  #send(opcode: Opcode, payload: Buffer): void {
    if (!this.#socket.write(frameOf(opcode, payload))) this.#socket.pause()
  }
}

/** The close codes that may stand in a frame (§7.4.1, §7.4.2). */
function mayBeSent(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)
}
