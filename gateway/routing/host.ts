// Which host a request is for, and the order in which the hosts of routes.yaml are asked: exact, longest suffix, none.
// The danger it guards against: a request that is matched by one host and answered for another (RFC 9112 §3.2.2).
import type { Asked } from '../model.ts'
import { authorityOf } from './path.ts'

/** A DNS name has at most 253 characters (RFC 1035 §3.1 less its length bytes); longer ones are nobody's host. */
const maxHostLength = 255

/** One thing for each declared host: exact names, wildcards by suffix (`.example.com`), and for those without a host. */
export interface Hosts<T> {
  readonly exact: ReadonlyMap<string, T>
  readonly suffixes: ReadonlyMap<string, T>
  readonly none: T
}

/** The host in lower case without port and final dot. The target's authority overrides Host (RFC 9112 §3.2.2). */
export function hostOf(asked: Pick<Asked, 'target' | 'fields'>): string {
  const authority = authorityOf(asked.target) ?? asked.fields.get('host') ?? ''
  const host = authority.startsWith('[') ? authority.slice(0, authority.indexOf(']') + 1) : withoutPort(authority)
  if (host.length > maxHostLength) return ''
  return (host.endsWith('.') ? host.slice(0, -1) : host).toLowerCase()
}

/** All that apply to this host, the most specific first. */
export function listHosts<T>(hosts: Hosts<T>, host: string): T[] {
  const applying: T[] = []
  const exact = hosts.exact.get(host)
  if (exact !== undefined) applying.push(exact)
  if (hosts.suffixes.size > 0) applying.push(...listSuffixes(hosts.suffixes, host))
  applying.push(hosts.none)
  return applying
}

/** @param declared as in routes.yaml: `a.example.com`, `*.example.com` or absent. */
export function createHosts<T>(declared: Iterable<string | undefined>, create: (host?: string) => T): Hosts<T> {
  const exact = new Map<string, T>()
  const suffixes = new Map<string, T>()
  for (const host of new Set(declared)) {
    if (host?.startsWith('*.')) suffixes.set(host.slice(1), create(host))
    else if (host !== undefined) exact.set(host, create(host))
  }
  return { exact, suffixes, none: create() }
}

function listSuffixes<T>(suffixes: ReadonlyMap<string, T>, host: string): T[] {
  const applying: T[] = []
  // From 1: a wildcard stands for at least one character.
  for (let dot = host.indexOf('.', 1); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    const found = suffixes.get(host.slice(dot))
    if (found !== undefined) applying.push(found)
  }
  return applying
}

function withoutPort(authority: string): string {
  const colon = authority.indexOf(':')
  return colon < 0 ? authority : authority.slice(0, colon)
}
