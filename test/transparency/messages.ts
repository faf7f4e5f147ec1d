// HTTP/1.1 messages out of bytes, for comparing what went in with what came out. Written for the tests alone, from RFC 9112 and
// not from the gateway's grammar. The danger it guards against: one mistake in a parser that both sides of a comparison share.

export interface Message {
  /** The first line, without its end. */
  readonly start: string
  /** Field lines as received, without their ends. */
  readonly fields: readonly string[]
  /** Decoded, latin1. */
  readonly body: string
  readonly trailers: readonly string[]
  /** Whether its end has come. */
  readonly isWhole: boolean
}

/** All latin1. */
interface Reading extends Message {
  /** Where the next message starts. */
  readonly end: number
}

export const valuesOf = (fields: readonly string[], name: string): string[] =>
  fields.flatMap((line) => {
    const colon = line.indexOf(':')
    return line.slice(0, colon).toLowerCase() === name ? [line.slice(colon + 1).trim()] : []
  })

/** The first request of these bytes, as far as it has come; undefined before its head is whole. */
export function readRequest(bytes: string): { request: Message; rest: string } | undefined {
  const head = readHead(bytes, 0)
  if (!head) return undefined
  const { end, ...request } = readBody(bytes, head, false)
  return { request, rest: request.isWhole ? bytes.slice(end) : bytes }
}

/** @param methods of the requests asked, in order. @param isClosed nothing will follow these bytes */
export function readAnswers(bytes: string, methods: readonly string[], isClosed: boolean): readonly Message[] {
  const messages: Message[] = []
  let answered = 0
  for (let at = 0; at < bytes.length; ) {
    const head = readHead(bytes, at)
    if (!head) break
    const status = Number(head.start.split(' ')[1])
    const isBodiless = status < 200 || status === 204 || status === 304 || methods[answered] === 'HEAD'
    const { end, ...message }: Reading = isBodiless
      ? { ...head, body: '', trailers: [], isWhole: true }
      : readBody(bytes, head, true, isClosed)
    messages.push(message)
    if (status >= 200) answered += 1
    // What follows a 101 is no HTTP.
    if (!message.isWhole || status === 101) break
    at = end
  }
  return messages
}

type Head = Pick<Reading, 'start' | 'fields' | 'end'>

function readHead(bytes: string, at: number): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n', at)
  if (end < 0) return undefined
  const [start = '', ...fields] = bytes.slice(at, end).split('\r\n')
  return { start, fields, end: end + 4 }
}

function readBody(bytes: string, head: Head, isAnswer: boolean, isClosed = false): Reading {
  const from = head.end
  if (valuesOf(head.fields, 'transfer-encoding').length > 0) return readChunks(bytes, head)
  const [length] = valuesOf(head.fields, 'content-length')
  if (length === undefined && isAnswer) {
    return { ...head, body: bytes.slice(from), trailers: [], isWhole: isClosed, end: bytes.length }
  }
  const end = from + Number(length ?? 0)
  return { ...head, body: bytes.slice(from, end), trailers: [], isWhole: end <= bytes.length, end }
}

function readChunks(bytes: string, head: Head): Reading {
  let body = ''
  let at = head.end
  const broken = { ...head, trailers: [], isWhole: false, end: bytes.length }
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return { ...broken, body }
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16)
    if (Number.isNaN(size)) throw new Error(`no chunk: ${bytes.slice(at, at + 40)}`)
    at = lineEnd + 2
    if (size === 0) break
    body += bytes.slice(at, at + size)
    at += size + 2
    if (at > bytes.length) return { ...broken, body }
  }
  if (bytes.startsWith('\r\n', at)) return { ...head, body, trailers: [], isWhole: true, end: at + 2 }
  const end = bytes.indexOf('\r\n\r\n', at)
  if (end < 0) return { ...broken, body }
  return { ...head, body, trailers: bytes.slice(at, end).split('\r\n'), isWhole: true, end: end + 4 }
}
