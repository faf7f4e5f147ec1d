// What a door refuses although Node's parser lets it pass: a head that two readers may understand differently.
// The danger it guards against: request smuggling, where the monolith sees another request than the one that was let in.
import type { FailureCode } from '../errors.ts'
import type { Fields } from '../model.ts'

/** `uri-host [":" port]` (RFC 9110 §7.2): what ends a host, or lists several, is no part of one. */
const hostValue = /^[^\s/\\?#@,]*$/

/** @param version `1.1` or `1.0`, as the request line says. @returns why the head is refused, if it is */
export function faultOf(version: string, fields: Fields): FailureCode | undefined {
  const isSound = (version === '1.1' || version === '1.0') && hasSoundHost(version, fields) && isFramed(version, fields)
  return isSound ? undefined : 'requestMalformed'
}

/** Exactly one Host, which only HTTP/1.0 may leave out (RFC 9112 §3.2). */
function hasSoundHost(version: string, fields: Fields): boolean {
  const hosts = fields.all('host')
  if (hosts.length === 0) return version === '1.0'
  return hosts.length === 1 && hostValue.test(hosts[0] ?? '')
}

/** The one coding that we undo is chunked (RFC 9112 §6.1, §7); HTTP/1.0 does not know any. */
function isFramed(version: string, fields: Fields): boolean {
  const codings = fields.all('transfer-encoding')
  if (codings.length === 0) return true
  return version === '1.1' && codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'
}
