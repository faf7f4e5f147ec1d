// The heads that the fast door takes: a strict subset of RFC 9112 in which nothing can be read two ways. Whatever is not exactly
// this is not judged here at all: the general door judges it, alone.
//
//   head         = request-line *( field-line ) CRLF
//   request-line = method SP target SP "HTTP/1.1" CRLF       one SP each, no other white space
//   method       = one of http.METHODS, but CONNECT
//   target       = "/" *( %x21-7E )                            origin form; no obs-text, no fragment
//   field-line   = as message/grammar.ts says                  no obs-fold, no white space before the colon, no bare CR or LF
//   fields       : one Host that is sound (soundness.ts); at most one of Content-Length and Transfer-Encoding, the first
//                  1*15DIGIT, the second "chunked"; neither Upgrade nor Expect
//
// The danger it guards against: request smuggling (RFC 9112 §11.2).
import { METHODS } from 'node:http'
import { sameName } from '../message/fields.ts'
import { endOfToken, type Framing, framingOf, liesAt, parseFieldLines, saysClose } from '../message/grammar.ts'
import type { Fields } from '../model.ts'
import { isSoundHost } from './soundness.ts'

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly fields: Fields
  readonly framing: Framing
  /** The client wants the connection closed after the answer. */
  readonly isLast: boolean
  /** How many bytes it is long, with the empty line that ends it. */
  readonly bytes: number
}

const mostFields = 200
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT'))
const slash = 0x2f
const space = 0x20
const versionAndEnd = ' HTTP/1.1\r\n'

/** @param head may go on behind its end. @returns undefined also when it is not whole */
export function parseRequestHead(head: Buffer): RequestHead | undefined {
  const method = methodOf(head)
  if (method === undefined || head[method.length + 1] !== slash) return undefined
  const targetEnd = endOfTarget(head, method.length + 1)
  if (!liesAt(head, targetEnd, versionAndEnd)) return undefined
  const lines = parseFieldLines(head, targetEnd + versionAndEnd.length, mostFields)
  if (!lines) return undefined
  const { fields, end: bytes } = lines
  const framing = framingOf(fields.raw)
  const special = framing && specialOf(fields.raw)
  if (!special) return undefined
  const target = head.toString('latin1', method.length + 1, targetEnd)
  return { method, target, fields, framing, isLast: special.isLast, bytes }
}

/** A known one, with the blank that must follow it. */
function methodOf(head: Buffer): string | undefined {
  // Nearly all are; a word of our own has its hash already wherever it is looked up.
  if (liesAt(head, 0, 'GET ')) return 'GET'
  const end = endOfToken(head, 0)
  const method = head.toString('latin1', 0, end)
  return head[end] === space && methods.has(method) ? method : undefined
}

function endOfTarget(head: Buffer, from: number): number {
  let at = from
  while (at < head.length && isOfTarget(head[at] as number)) at += 1
  return at
}

function isOfTarget(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x23
}

/** @returns undefined when a field asks for more than this door can do, or Host is not exactly one */
function specialOf(raw: readonly string[]): { isLast: boolean } | undefined {
  let hosts = 0
  let isLast = false
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (sameName(name, 'Connection')) isLast ||= saysClose(value)
    else if (sameName(name, 'Host')) {
      if (!isSoundHost(value)) return undefined
      hosts += 1
    } else if (sameName(name, 'Expect') || sameName(name, 'Upgrade')) return undefined
  }
  return hosts === 1 ? { isLast } : undefined
}
