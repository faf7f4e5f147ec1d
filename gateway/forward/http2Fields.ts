// Fields between the two versions of HTTP (RFC 9113 §8).
// The danger it guards against: a field of one hop, or of the other version, that makes the message malformed.
import type { OutgoingHttpHeaders } from 'node:http2'
import { authorityOf } from '../message/authority.ts'
import { namesOf, without } from '../message/fields.ts'
import type { Exchange } from '../model.ts'

/** `:authority` says the one, and HTTP/2 knows no fields of a connection (RFC 9113 §8.2.2). */
const unsendable = namesOf(['host', 'connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

export function headersOf({ method, target, fields, upstream }: Exchange): OutgoingHttpHeaders {
  const scheme = upstream.target.secure ? 'https' : 'http'
  const authority = fields.get('host') ?? authorityOf(upstream.target)
  const sendable = grouped(without(fields, unsendable).raw)
  return { ...sendable, ':method': method, ':path': target, ':scheme': scheme, ':authority': authority }
}

/** Names are in lower case in HTTP/2 (RFC 9113 §8.2.1), fields of one name behind each other. */
export function grouped(raw: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null)
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    headers[name] = [...(headers[name] ?? []), raw[i + 1] as string]
  }
  return headers
}

export function withoutPseudo(raw: readonly string[]): string[] {
  return raw.flatMap((part, i) => (i % 2 === 0 && !part.startsWith(':') ? [part, raw[i + 1] ?? ''] : []))
}
