// Where an Upstream is, its URLs taken apart, and what chooses among several.
// The danger it guards against: a URL of which a part is silently ignored, and a cookie of ours that is somebody else's too.
import type { Affinity, Target, Upstream } from '../model.ts'
import { affinityCookie } from '../rollout/identity.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below, isMapping, lastStep, valueAt } from './pointer.ts'
import { durationMs } from './schema.ts'
import type { CheckedTargets } from './targetSchema.ts'
import { tlsOf } from './upstreamTls.ts'

/** As written: nothing is known yet of how it is secured. */
type Place = Omit<Target, 'verify' | 'tls'>

/** @param pointer of the upstream. @returns undefined after a mistake, which is told */
function placesOf(page: Page, pointer: string): readonly Place[] | undefined {
  const [one, several] = [below(pointer, 'url'), below(pointer, 'targets')]
  const list = valueAt(page.written.value, several)
  const isOne = valueAt(page.written.value, one) !== undefined
  if (isOne && list !== undefined) return refuse(page, several, '"targets" stands instead of "url"; remove one of them')
  if (list === undefined) {
    const place = isOne ? placeAt(page, one, 'url') : lacking(page, pointer)
    return place && [place]
  }
  const places = Array.isArray(list)
    ? list.map((_, i) => placeAt(page, below(several, i), 'each entry of targets'))
    : []
  const sound = places.filter((place) => place !== undefined)
  return areDistinct(page, several, places) && sound.length > 0 && sound.length === places.length ? sound : undefined
}

function lacking(page: Page, pointer: string): undefined {
  // Then it may be missing only because its name is wrong; and a value that is no mapping is told of already.
  if (page.checked.hasUnknownKey(pointer) || !isMapping(valueAt(page.written.value, pointer))) return undefined
  const at = page.written.keyPositionOf(pointer)
  page.findings.error(at, `the upstream "${lastStep(pointer)}" needs the key "url" or "targets": where it is`)
  return undefined
}

function areDistinct(page: Page, pointer: string, places: readonly (Place | undefined)[]): boolean {
  const origins = places.map((place) => place?.origin)
  const twice = origins.findIndex((origin, i) => origin !== undefined && origins.indexOf(origin) < i)
  if (twice >= 0) refuse(page, below(pointer, twice), 'this target is in the list already; remove one of them')
  return twice < 0
}

function placeAt(page: Page, pointer: string, key: string): Place | undefined {
  const text = page.checked.at<string>(pointer)
  if (text === undefined) return undefined
  const mistake = mistakeOf(text)
  if (mistake !== undefined) return refuse(page, pointer, `${key} ${mistake(wordsAt(page, pointer))}`)
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
    return (words) => `must be http:// or https://, a host and maybe a port, not ${words}`
  }
  const { username, password, pathname, port } = new URL(text)
  if (username !== '' || password !== '') {
    return () => 'must not hold a user name or password: they would be in every copy of this file; remove them'
  }
  if (/[?#]/.test(text)) return (words) => `must not have a query or fragment; remove it from ${words}`
  if (pathname !== '/')
    return (words) => `must not have a path; in ${words} it belongs to the route's move.rewrite.path`
  if (port === '0') return () => 'must have a port from 1 to 65535, not 0'
  return undefined
}

type Balancing = Pick<Upstream, 'target' | 'targets' | 'affinity' | 'slowStartMs'>

/** @param file the path of routes.yaml. @param settings of the upstream at that pointer; undefined after a mistake in them. @returns undefined after any mistake */
export function balancingOf(
  page: Page,
  { pointer, file }: { pointer: string; file: string },
  settings: CheckedTargets | undefined,
): Balancing | undefined {
  const places = placesOf(page, pointer)
  const isFree = isFreeCookie(page, pointer)
  if (!places || !isFree || !settings) return undefined
  const { affinity, slowStart, tls } = settings
  const secured = tlsOf(page, { pointer, file }, tls, places)
  const targets = secured ? places.map((place) => ({ ...place, ...secured })) : []
  const [target] = targets
  if (!target) return undefined
  const slowStartMs = durationMs(slowStart)
  if (targets.length > 1 && affinity === undefined) warnOfSessions(page, pointer)
  if (targets.length === 1 && slowStartMs > 0) {
    const at = page.written.positionOf(below(pointer, 'slowStart'))
    page.findings.warn(at, 'slowStart does nothing with a single target: nobody else could take the rest; remove it')
  }
  const bound = affinityOf(affinity)
  return { target, targets, ...(bound && { affinity: bound }), ...(slowStartMs > 0 && { slowStartMs }) }
}

function affinityOf(affinity: CheckedTargets['affinity']): Affinity | undefined {
  if (affinity === undefined || affinity === 'none') return undefined
  return affinity === 'address' ? { by: 'address' } : { by: 'cookie', name: affinity.cookie }
}

function warnOfSessions(page: Page, pointer: string): void {
  page.findings.warn(
    page.written.keyPositionOf(below(pointer, 'targets')),
    `nothing keeps a client of "${lastStep(pointer)}" with one of its targets: a session that a target keeps to itself is lost as soon as a request goes to another; add affinity: { cookie: NAME } or affinity: address, or affinity: none where they keep no sessions`,
  )
}

/** Whether its cookie is nobody else's: each would take the other's value for its own. */
function isFreeCookie(page: Page, pointer: string): boolean {
  const at = below(pointer, 'affinity', 'cookie')
  const name = page.checked.at<string>(at)
  if (name === undefined) return true
  const owner = ownerOf(page, pointer, name)
  if (owner) refuse(page, at, `the cookie "${name}" is ${owner}; affinity sets one of its own: choose another name`)
  return owner === undefined
}

function ownerOf(page: Page, pointer: string, name: string): string | undefined {
  if (name === page.checked.at('/sessionCookie')) return 'the session of the monolith itself'
  if (name === affinityCookie) return 'the one of stickyBy: affinity'
  const upstreams = valueAt(page.written.value, '/upstreams')
  const others = Object.keys(isMapping(upstreams) ? upstreams : {})
  const before = others.slice(0, others.indexOf(lastStep(pointer)))
  const other = before.find((one) => page.checked.at(below('/upstreams', one, 'affinity', 'cookie')) === name)
  return other === undefined ? undefined : `that of the upstream "${other}"`
}
