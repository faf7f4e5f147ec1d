// A request as bytes for an upstream's connection: head, framing, body.
// The danger it guards against: a request that ends for the upstream where it did not end for the client.
import { authorityOf } from '../message/authority.ts'
import { linesOf } from '../message/fields.ts'
import type { Exchange } from '../model.ts'

/** Whether its body needs the chunked coding: nothing says how long it is. */
export function isSentChunked({ body, fields }: Exchange): boolean {
  return body !== undefined && !fields.has('content-length')
}

export function headOf({ method, target, fields, upgrade, upstream }: Exchange, isChunked: boolean): string {
  const start = `${method} ${target} HTTP/1.1\r\n`
  // HTTP/1.0 may leave Host out; HTTP/1.1 must not, and has it first (RFC 9112 §3.2). Without one the target's own is meant.
  const named = fields.has('host') ? start : `${start}Host: ${authorityOf(upstream.target)}\r\n`
  let head = named + linesOf(fields)
  if (isChunked) head += 'Transfer-Encoding: chunked\r\n'
  // Both are of this hop alone and made anew (RFC 9110 §7.8, §10.1.4).
  if (upgrade !== undefined) head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
  else if (fields.has('TE')) head += 'Connection: TE\r\n'
  return `${head}\r\n`
}
