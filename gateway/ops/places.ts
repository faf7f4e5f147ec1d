// What there is on the admin listener, for whoever asks for something else.
// The danger it guards against: a mistyped order that looks like one that does not exist.
import { keySetPath } from '../message/keySetPath.ts'
import { orderNames } from './orders.ts'

const reads = 'GET, HEAD'

/** As they are told, with what they take. */
const places: readonly (readonly [place: string, allow: string])[] = [
  ...['/healthz', '/readyz', '/metrics', '/status', '/upstreams/NAME/*'].map((place) => [place, reads] as const),
  [keySetPath, reads],
  ...['/rollouts', '/rollouts/NAME', '/history', '/audit/heads', '/diff/NAME', '/cache/stats'].map(
    (place) => [place, reads] as const,
  ),
  ...['/reload', '/plan', '/rollback', '/cache/purge'].map((place) => [place, 'POST'] as const),
  ...[['/keys', 'GET, HEAD, POST'] as const, ['/keys/NAME/uses', reads] as const],
  ...['/keys/adopt', '/keys/leak', '/keys/notices', '/keys/NAME/rotate', '/keys/NAME/revoke'].map(
    (place) => [place, 'POST'] as const,
  ),
  ...orderNames.map((name) => [`/rollouts/NAME/${name}`, 'POST'] as const),
]

export const paths: readonly string[] = places.map(([place, allow]) => (allow === reads ? place : `${allow} ${place}`))

/** The methods of that path (RFC 9110 §10.2.1); undefined when nothing is there. */
export function allowedAt(path: string): string | undefined {
  return places.find(([place]) => patternOf(place).test(path))?.[1]
}

function patternOf(place: string): RegExp {
  return new RegExp(`^${place.replace('NAME/*', '.*').replace('NAME', '[^/]+')}$`)
}
