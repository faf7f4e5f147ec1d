// The Upstreams of the file.
// The danger it guards against: a setting of one that is read as another's.
import type { BreakerSettings, Upstream } from '../model.ts'
import type { CheckedBreaker } from './breakerSchema.ts'
import type { CheckedUpstream } from './core.ts'
import { watchOf } from './health.ts'
import { type KnownUpstreams, type Page, refuse } from './page.ts'
import { below, isMapping, valueAt } from './pointer.ts'
import { basisPoints, durationMs } from './schema.ts'
import { secretOf } from './secret.ts'
import { balancingOf } from './targets.ts'

/** @param file the path of routes.yaml, to whose folder relative paths belong */
export function declareUpstreams(page: Page, file: string): KnownUpstreams {
  const all = valueAt(page.written.value, '/upstreams')
  const names = isMapping(all) && !Array.isArray(all) ? Object.keys(all) : []
  const sound = new Map<string, Upstream>()
  if (names.length === 0 && page.checked.at('/upstreams')) refuse(page, '/upstreams', 'at least one upstream is needed')
  for (const name of names) {
    const upstream = declareUpstream(page, name, file)
    if (upstream) sound.set(name, upstream)
  }
  return { sound, names }
}

function declareUpstream(page: Page, name: string, file: string): Upstream | undefined {
  const pointer = below('/upstreams', name)
  const settings = page.checked.at<CheckedUpstream>(pointer)
  const balancing = balancingOf(page, { pointer, file }, settings)
  if (!balancing || !settings) return undefined
  const { connect, firstByte, idle, protocol, maxConnections, maxPending, breaker, secret, internalToken } = settings
  const watch = watchOf(page, pointer, settings, balancing.targets.length)
  if (!watch || (breaker && !isSoundBreaker(page, below(pointer, 'breaker'), breaker))) return undefined
  const proof = secret && secretOf(page, { pointer: below(pointer, 'secret'), file }, secret)
  if (secret && !proof) return undefined
  return {
    name,
    ...balancing,
    connectMs: durationMs(connect),
    firstByteMs: durationMs(firstByte),
    idleMs: durationMs(idle),
    protocol,
    maxConnections,
    maxPending,
    ...(breaker && { breaker: breakerOf(breaker) }),
    ...(proof && { secret: proof }),
    ...(internalToken && { internalToken: { audience: internalToken === true ? name : internalToken.audience } }),
    ...watch,
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
