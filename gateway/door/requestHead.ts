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
import { endOfToken, type Framing, framingOf, parseFieldLines, saysClose } from '../message/grammar.ts'
import { isSoundHost } from './soundness.ts'

export interface RequestHead {
  readonly method: string
  readonly target: string
  readonly raw: string[]
  readonly framing: Framing
  /** The client wants the connection closed after the answer. */
  readonly isLast: boolean
}

const mostFields = 200
const methods: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== 'CONNECT'))
const slash = 0x2f
const space = 0x20
const versionAndEnd = ' HTTP/1.1\r\n'

/** @param text latin1, with the empty line that ends it */
export function parseRequestHead(text: string): RequestHead | undefined {
  const methodEnd = endOfToken(text, 0)
  const method = text.slice(0, methodEnd)
  if (text.charCodeAt(methodEnd) !== space || text.charCodeAt(methodEnd + 1) !== slash || !methods.has(method)) {
    return undefined
  }
  const targetEnd = endOfTarget(text, methodEnd + 1)
  if (!text.startsWith(versionAndEnd, targetEnd)) return undefined
  const raw = parseFieldLines(text, targetEnd + versionAndEnd.length, mostFields)
  const framing = raw && framingOf(raw)
  if (!framing) return undefined
  const special = specialOf(raw)
  if (!special) return undefined
  return { method, target: text.slice(methodEnd + 1, targetEnd), raw, framing, isLast: special.isLast }
}

function endOfTarget(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code > 0x20 && code < 0x7f && code !== 0x23; code = text.charCodeAt(at)) at += 1
  return at
}

/** @returns undefined when a field asks for more than this door can do, or Host is not exactly one */
function specialOf(raw: readonly string[]): { isLast: boolean } | undefined {
  let hosts = 0
  let isLast = false
  for (let i = 0; i < raw.length; i += 2) {
    const special = specialNameOf(raw[i] as string)
    if (special === undefined) continue
    const value = raw[i + 1] as string
    if (special === 'connection') isLast ||= saysClose(value)
    else if (special === 'host' && isSoundHost(value)) hosts += 1
    else return undefined
  }
  return hosts === 1 ? { isLast } : undefined
}

const specialNames: ReadonlyMap<number, string> = new Map(
  ['host', 'expect', 'upgrade', 'connection'].map((name) => [name.length, name]),
)

/** The four differ in length: other names are passed over without a comparison. */
function specialNameOf(name: string): string | undefined {
  const special = specialNames.get(name.length)
  return special !== undefined && name.toLowerCase() === special ? special : undefined
}
