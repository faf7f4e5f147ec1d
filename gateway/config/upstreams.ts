// The Upstreams of the file, their URLs taken apart.
// The danger it guards against: a URL of which a part is silently ignored.
import type { BreakerSettings, Target, Upstream } from '../model.ts'
import type { CheckedBreaker } from './breakerSchema.ts'
import type { CheckedUpstream } from './core.ts'
import { type KnownUpstreams, type Page, refuse, wordsAt } from './page.ts'
import { below, isMapping, valueAt } from './pointer.ts'
import { basisPoints, durationMs } from './schema.ts'

export function declareUpstreams(page: Page): KnownUpstreams {
  const all = valueAt(page.written.value, '/upstreams')
  const names = isMapping(all) && !Array.isArray(all) ? Object.keys(all) : []
  const sound = new Map<string, Upstream>()
  if (names.length === 0 && page.checked.at('/upstreams')) refuse(page, '/upstreams', 'at least one upstream is needed')
  for (const name of names) {
    const upstream = declareUpstream(page, name)
    if (upstream) sound.set(name, upstream)
  }
  return { sound, names }
}

function declareUpstream(page: Page, name: string): Upstream | undefined {
  const pointer = below('/upstreams', name)
  const target = targetOf(page, below(pointer, 'url'))
  const settings = page.checked.at<CheckedUpstream>(pointer)
  if (!target || !settings) return undefined
  const { connect, firstByte, idle, protocol, maxConnections, maxPending, tls, breaker } = settings
  if (breaker && !isSoundBreaker(page, below(pointer, 'breaker'), breaker)) return undefined
  return {
    name,
    target: { ...target, verify: tls.verify },
    connectMs: durationMs(connect),
    firstByteMs: durationMs(firstByte),
    idleMs: durationMs(idle),
    protocol,
    maxConnections,
    maxPending,
    ...(breaker && { breaker: breakerOf(breaker) }),
  }
}

/** What a schema cannot see; all of it is told. */
function isSoundBreaker(page: Page, pointer: string, breaker: CheckedBreaker): boolean {
  const mistakes: [key: string, message: string][] = []
  for (const key of ['errorShare', 'slowShare'] as const)
    if (basisPoints(breaker[key] ?? '') === 0) mistakes.push([key, `${key} must be above 0%: 0% would open it at once`])
  for (const key of ['window', 'open'] as const)
    if (durationMs(breaker[key]) < 100) mistakes.push([key, `${key} must be at least 100ms`])
  if (breaker.slowShare !== undefined && breaker.slowerThan === undefined)
    mistakes.push(['slowShare', 'slowShare needs slowerThan, which says from when on a call is slow'])
  for (const [key, message] of mistakes) refuse(page, below(pointer, key), message)
  return mistakes.length === 0
}

function breakerOf({
  errorShare,
  minRequests,
  slowShare,
  slowerThan,
  engine,
  ...times
}: CheckedBreaker): BreakerSettings {
  return {
    errorShareBasisPoints: basisPoints(errorShare),
    minRequests,
    windowMs: durationMs(times.window),
    openMs: durationMs(times.open),
    ...(slowerThan !== undefined && {
      slow: { afterMs: durationMs(slowerThan), shareBasisPoints: basisPoints(slowShare ?? '50%') },
    }),
    engine,
  }
}

function targetOf(page: Page, pointer: string): Omit<Target, 'verify'> | undefined {
  const text = page.checked.at<string>(pointer)
  if (text === undefined) return undefined
  const mistake = mistakeOf(text)
  if (mistake !== undefined) return refuse(page, pointer, mistake(wordsAt(page, pointer)))
  const { protocol, hostname, port } = new URL(text)
  const secure = protocol === 'https:'
  const number = port === '' ? (secure ? 443 : 80) : Number(port)
  return {
    origin: `${protocol}//${hostname}:${number}`,
    secure,
    // The brackets of an IPv6 address belong to the URL (RFC 3986 §3.2.2), not to the address.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: number,
  }
}

/** What is wrong with a URL, told of it as the file writes it; never with its user information. */
function mistakeOf(text: string): ((words: string) => string) | undefined {
  // The URL parser forgives what a reader would not: backslashes, spaces, one slash for two.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text) || !URL.canParse(text)) {
    return (words) => `url must be http:// or https://, a host and maybe a port, not ${words}`
  }
  const { username, password, pathname, port } = new URL(text)
  if (username !== '' || password !== '') {
    return () => 'url must not hold a user name or password: they would be in every copy of this file; remove them'
  }
  if (/[?#]/.test(text)) return (words) => `url must not have a query or fragment; remove it from ${words}`
  if (pathname !== '/')
    return (words) => `url must not have a path; in ${words} it belongs to the route's move.rewrite.path`
  if (port === '0') return () => 'url must have a port from 1 to 65535, not 0'
  return undefined
}
