// The head of an upstream's answer (RFC 9112 §4): status line, fields, and how its body will be delimited.
// The danger it guards against: an answer whose end two parsers place differently. Whatever is ambiguous is malformed.
//
//   status-line = "HTTP/1." ("0" / "1") SP 3DIGIT [ SP *( HTAB / SP / VCHAR / obs-text ) ] CRLF
import { type Framing, framingOf, noBody, parseFieldLines } from '../message/grammar.ts'

export interface AnswerHead {
  readonly status: number
  readonly reason: string
  readonly raw: string[]
  /** `untilClose`: neither length nor coding is declared. */
  readonly framing: Framing | { readonly kind: 'untilClose' }
  /** Whether the connection may carry another request. */
  readonly mayReuse: boolean
  /** How long the upstream keeps it when idle, where it says so. */
  readonly keepsIdleMs?: number
}

const mostFields = 1_000
const statusLine = /HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/y
const untilClose = { kind: 'untilClose' } as const

/**
 * @param text latin1, with the empty line that ends it
 * @param method of the request that it answers
 * @returns undefined when it is malformed or ambiguous
 */
export function parseAnswerHead(text: string, method: string): AnswerHead | undefined {
  statusLine.lastIndex = 0
  const line = statusLine.exec(text)
  if (!line) return undefined
  const raw = parseFieldLines(text, statusLine.lastIndex, mostFields)
  if (!raw) return undefined
  const status = Number(line[2])
  const isOld = line[1] === '0'
  const declared = framingOf(raw)
  // A coding on an HTTP/1.0 answer is faulty framing (RFC 9112 §6.1).
  if (!declared || (isOld && declared.kind === 'chunked')) return undefined
  const framing = hasNoBody(status, method) ? noBody : declared.kind === 'none' ? untilClose : declared
  const { isLast, keepsIdleMs } = connectionOf(raw)
  // A connection that ends with an interim answer cannot carry the answer: some would read on, some not.
  if (isLast && status < 200) return undefined
  const mayReuse = !isOld && !isLast && framing.kind !== 'untilClose'
  return {
    status,
    reason: line[3] ?? '',
    raw,
    framing,
    mayReuse,
    ...(keepsIdleMs === undefined ? {} : { keepsIdleMs }),
  }
}

/** RFC 9110 §6.4.1, §9.3.2, §15.4.5: whatever their fields say. */
export function hasNoBody(status: number, method: string): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200
}

function connectionOf(raw: readonly string[]): { isLast: boolean; keepsIdleMs?: number } {
  let isLast = false
  let keepsIdleMs: number | undefined
  for (let i = 0; i < raw.length; i += 2) {
    // "Connection" and "Keep-Alive" both have ten letters.
    if ((raw[i] as string).length !== 10) continue
    const name = (raw[i] as string).toLowerCase()
    const value = raw[i + 1] as string
    if (name === 'connection') isLast ||= /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(value)
    else if (name === 'keep-alive') {
      const seconds = /(?:^|[,; ])timeout=(\d{1,6})/i.exec(value)?.[1]
      if (seconds !== undefined) keepsIdleMs = Number(seconds) * 1000
    }
  }
  return keepsIdleMs === undefined ? { isLast } : { isLast, keepsIdleMs }
}

/** Whether a whole head may follow: an end of its first line that nobody will take, or another protocol, is not waited out. */
export function mayBecomeHead(bytes: Buffer): boolean {
  const lineEnd = bytes.indexOf(0x0a)
  if (lineEnd === 0 || (lineEnd > 0 && bytes[lineEnd - 1] !== 0x0d)) return false
  return 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7))
}
