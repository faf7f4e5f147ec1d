// The head of an upstream's answer (RFC 9112 §4): status line, fields, and how its body will be delimited.
// The danger it guards against: an answer whose end two parsers place differently. Whatever is ambiguous is malformed.
//
//   status-line = "HTTP/1." ("0" / "1") SP 3DIGIT [ SP *( HTAB / SP / VCHAR / obs-text ) ] CRLF
import { sameName } from '../message/fields.ts'
import {
  endOfValue,
  type Framing,
  framingOf,
  hasHeadEnd,
  liesAt,
  noBody,
  parseFieldLines,
  saysClose,
} from '../message/grammar.ts'
import type { Fields } from '../model.ts'

export interface AnswerHead {
  readonly status: number
  readonly reason: string
  readonly fields: Fields
  /** `untilClose`: neither length nor coding is declared. */
  readonly framing: Framing | { readonly kind: 'untilClose' }
  /** Whether the connection may carry another request. */
  readonly mayReuse: boolean
  /** How long the upstream keeps it when idle, where it says so. */
  readonly keepsIdleMs: number | undefined
  /** How many bytes it is long, with the empty line that ends it. */
  readonly bytes: number
}

const mostHeadBytes = 256 * 1024
const mostFields = 1_000
/** Behind `HTTP/1.1 `. */
const statusStart = 9
const statusEnd = 12
const space = 0x20
const untilClose = { kind: 'untilClose' } as const

/** The head at the beginning of bytes; `more` when it is not whole yet, undefined when it never will be sound. */
export function readAnswerHead(bytes: Buffer, method: string): AnswerHead | 'more' | undefined {
  const head = parseAnswerHead(bytes, method)
  if (head) return head
  return bytes.length <= mostHeadBytes && !hasHeadEnd(bytes) && mayBecomeHead(bytes) ? 'more' : undefined
}

/**
 * @param head may go on behind its end
 * @param method of the request that it answers
 * @returns undefined when it is malformed, ambiguous or not whole
 */
export function parseAnswerHead(head: Buffer, method: string): AnswerHead | undefined {
  const line = parseStatusLine(head)
  const lines = line && parseFieldLines(head, line.end, mostFields)
  if (!lines) return undefined
  const { fields, end: bytes } = lines
  const { raw } = fields
  const { status, reason, isOld } = line
  const declared = framingOf(raw)
  // A coding on an HTTP/1.0 answer is faulty framing (RFC 9112 §6.1).
  if (!declared || (isOld && declared.kind === 'chunked')) return undefined
  const framing = hasNoBody(status, method) ? noBody : declared.kind === 'none' ? untilClose : declared
  const { isLast, keepsIdleMs } = connectionOf(raw)
  // A connection that ends with an interim answer, as HTTP/1.0 does (it knows none), cannot carry the answer: some would read
  // on, some not.
  if (status < 200 && (isLast || isOld)) return undefined
  const mayReuse = !isOld && !isLast && framing.kind !== 'untilClose'
  return { status, reason, fields, framing, mayReuse, keepsIdleMs, bytes }
}

interface StatusLine {
  readonly isOld: boolean
  readonly status: number
  readonly reason: string
  readonly end: number
}

/** By hand: a regular expression that captures three parts costs more than the rest of the head. */
function parseStatusLine(head: Buffer): StatusLine | undefined {
  const isOld = liesAt(head, 0, 'HTTP/1.0 ')
  if (!isOld && !liesAt(head, 0, 'HTTP/1.1 ')) return undefined
  const status = statusOf(head)
  const lineEnd = endOfValue(head, statusEnd)
  // Without a reason the blank before it may be missing too, as many servers have it.
  const isSound = status > 0 && (lineEnd === statusEnd || head[statusEnd] === space)
  if (!isSound || !liesAt(head, lineEnd, '\r\n')) return undefined
  return { isOld, status, reason: head.toString('latin1', statusEnd + 1, lineEnd), end: lineEnd + 2 }
}

/** Three digits, the first not 0; else 0. */
function statusOf(head: Buffer): number {
  let status = 0
  for (let at = statusStart; at < statusEnd; at += 1) {
    const digit = (head[at] ?? 0) - 0x30
    if (!(digit >= 0 && digit <= 9)) return 0
    status = status * 10 + digit
  }
  return status < 100 ? 0 : status
}

/** RFC 9110 §6.4.1, §9.3.2, §15.4.5: whatever their fields say. */
export function hasNoBody(status: number, method: string): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200
}

function connectionOf(raw: readonly string[]): { isLast: boolean; keepsIdleMs: number | undefined } {
  let isLast = false
  let keepsIdleMs: number | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (sameName(name, 'Connection')) isLast ||= saysClose(value)
    else if (sameName(name, 'Keep-Alive')) {
      const seconds = /(?:^|[,; ])timeout=(\d{1,6})/i.exec(value)?.[1]
      if (seconds !== undefined) keepsIdleMs = Number(seconds) * 1000
    }
  }
  return { isLast, keepsIdleMs }
}

/** Whether a whole head may follow: an end of its first line that nobody will take, or another protocol, is not waited out. */
function mayBecomeHead(bytes: Buffer): boolean {
  const lineEnd = bytes.indexOf(0x0a)
  if (lineEnd === 0 || (lineEnd > 0 && bytes[lineEnd - 1] !== 0x0d)) return false
  return 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7))
}
