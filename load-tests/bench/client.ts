// A lean HTTP/1.1 client on node:net, for load and for checks: one request at a time on a connection, answers by
// Content-Length alone. The danger it guards against: counting an answer that is cut, longer than announced, or an error.
import { connect } from 'node:net'
import type { Ask } from './scenarios.ts'

export interface Answered {
  readonly status: number
  /** Of head and body. */
  readonly wireBytes: number
  readonly bodyBytes: number
  body(): Buffer
}

export interface Connection {
  readonly isOpen: boolean
  /** Writes these bytes and tells the whole answer, or why there is none. Not before the last one has been told. */
  ask(request: Buffer, tell: (answer: Answered | Error) => void): void
  close(): void
}

export function openConnection(port: number): Connection {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  let tell: ((answer: Answered | Error) => void) | undefined
  let chunks: Buffer[] = []
  let received = 0
  let head: Head | undefined

  const settle = (answer: Answered | Error) => {
    const waiting = tell
    tell = undefined
    chunks = []
    received = 0
    head = undefined
    waiting?.(answer)
  }
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    received += chunk.length
    head ??= headOf(chunks)
    if (head === undefined) return
    const { status, headBytes, bodyBytes } = head
    const wireBytes = headBytes + bodyBytes
    // NaN, from a head that this client does not understand, is neither more nor equal.
    if (received < wireBytes) return
    if (received === wireBytes && tell !== undefined) {
      const whole = chunks
      settle({ status, wireBytes, bodyBytes, body: () => Buffer.concat(whole).subarray(headBytes) })
    } else socket.destroy(new Error('an answer with no Content-Length, or more bytes than it announced'))
  })
  socket.on('error', settle)
  socket.on('close', () => settle(new Error('the connection was closed before the answer was whole')))
  return {
    get isOpen() {
      return !socket.destroyed && socket.readyState === 'open'
    },
    ask(request, listener) {
      if (socket.destroyed) {
        listener(new Error('the connection was closed while idle'))
        return
      }
      tell = listener
      socket.write(request)
    },
    close: () => void socket.destroy(),
  }
}

interface Head {
  readonly status: number
  readonly headBytes: number
  readonly bodyBytes: number
}

/** @returns undefined before the head is whole */
function headOf(chunks: readonly Buffer[]): Head | undefined {
  const [first] = chunks
  const bytes = chunks.length === 1 && first ? first : Buffer.concat(chunks)
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const text = bytes.toString('latin1', 0, end + 2)
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text)?.[1]
  return { status: Number(text.slice(9, 12)), headBytes: end + 4, bodyBytes: Number(length ?? Number.NaN) }
}

/** @returns what is wrong with an answer, if anything */
export function complaintAbout(answer: Answered | Error, ask: Ask): string | undefined {
  if (answer instanceof Error) return answer.message
  if (answer.status !== 200) return `status ${answer.status}`
  if (answer.bodyBytes !== ask.answerBytes) return `a body of ${answer.bodyBytes} bytes instead of ${ask.answerBytes}`
  return undefined
}
