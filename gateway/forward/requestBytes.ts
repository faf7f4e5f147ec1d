// A request as bytes for an upstream's connection: head, framing, body.
// The danger it guards against: a request that ends for the upstream where it did not end for the client.
import { sameName } from '../message/fields.ts'
import type { Exchange } from '../model.ts'

/** Whether its body needs the chunked coding: nothing says how long it is. */
export function isSentChunked({ body, fields }: Exchange): boolean {
  return body !== undefined && !fields.has('content-length')
}

export function headOf({ method, target, fields, upgrade }: Exchange, isChunked: boolean): string {
  const { raw } = fields
  let head = `${method} ${target} HTTP/1.1\r\n`
  let hasTe = false
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    head += `${name}: ${raw[i + 1]}\r\n`
    hasTe ||= name.length === 2 && sameName(name, 'te')
  }
  if (isChunked) head += 'Transfer-Encoding: chunked\r\n'
  // Both are of this hop alone and made anew (RFC 9110 §7.8, §10.1.4).
  if (upgrade !== undefined) head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
  else if (hasTe) head += 'Connection: TE\r\n'
  return `${head}\r\n`
}
