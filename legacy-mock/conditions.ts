// Conditional requests (RFC 9110 §13): entity tags compared as the section of each field says.
// The danger it guards against: a lost update, or a 304 for something that has changed.
import type { IncomingMessage } from 'node:http'
import type { Visit } from '../services/kit/visit.ts'

/** Answers 304 where the client's copy is the present one (§13.1.2, weak comparison), else lets it be sent. */
export async function sendUnlessFresh(visit: Visit, tag: string, send: () => void | Promise<void>): Promise<void> {
  const known = visit.request.headers['if-none-match']
  const isKnown = known !== undefined && names(known, tag, 'weak')
  if (isKnown) visit.response.writeHead(304, { ETag: tag, 'Cache-Control': 'no-store' }).end()
  else await send()
}

/** Whether If-Match and If-None-Match let a change happen. @param tag undefined: there is no such thing now */
export function mayChange({ headers }: IncomingMessage, tag: string | undefined): boolean {
  const wanted = headers['if-match']
  if (wanted !== undefined && (tag === undefined || !names(wanted, tag, 'strong'))) return false
  const unwanted = headers['if-none-match']
  return unwanted === undefined || tag === undefined || !names(unwanted, tag, 'weak')
}

function names(list: string, tag: string, comparison: 'weak' | 'strong'): boolean {
  if (list.trim() === '*') return true
  const tags = list.match(/(?:W\/)?"[^"]*"/g) ?? []
  return tags.some((one) => (comparison === 'weak' ? one.replace(/^W\//, '') : one) === tag)
}
