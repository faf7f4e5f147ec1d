// What a door refuses although Node's parser lets it pass: a head that two readers may understand differently.
// The danger it guards against: request smuggling, where the monolith sees another request than the one that was let in.
import type { FailureCode } from '../errors.ts'
import type { Fields } from '../model.ts'

/** What the request line says: the version as `1.1` or `1.0`, the target as received. */
interface Line {
  readonly version: string
  readonly target: string
}

/** @returns why the head is refused, if it is */
export function faultOf({ version, target }: Line, fields: Fields): FailureCode | undefined {
  const isKnown = version === '1.1' || version === '1.0'
  const isSound = isKnown && hasSoundAuthority(target) && hasSoundHost(version, fields) && isFramed(version, fields)
  return isSound ? undefined : 'requestMalformed'
}

/**
 * `uri-host [":" port]` (RFC 9110 §7.2, RFC 3986 §3.2.2). What ends a host, lists several, or is a port to one reader and part
 * of a name to another, is no part of one: it must be refused (RFC 9112 §3.2).
 */
export function isSoundHost(host: string): boolean {
  return /^(?:\[[\dA-Fa-f:.]+\]|[^\s/\\?#@,:[\]]*)(?::\d*)?$/.test(host)
}

/** The absolute form's authority takes the place of Host (RFC 9112 §3.2.2); nobody's host is empty (RFC 9110 §4.2.1). */
function hasSoundAuthority(target: string): boolean {
  if (target.startsWith('/')) return true
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(target)?.[1]
  return host === undefined || (host !== '' && isSoundHost(host))
}

/** Exactly one Host, which only HTTP/1.0 may leave out (RFC 9112 §3.2). */
function hasSoundHost(version: string, fields: Fields): boolean {
  const hosts = fields.all('host')
  if (hosts.length === 0) return version === '1.0'
  return hosts.length === 1 && isSoundHost(hosts[0] ?? '')
}

/** The one coding that we undo is chunked (RFC 9112 §6.1, §7); HTTP/1.0 does not know any. */
function isFramed(version: string, fields: Fields): boolean {
  const codings = fields.all('transfer-encoding')
  if (codings.length === 0) return true
  return version === '1.1' && codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'
}
