// How an Upstream's targets are watched, and how much it is given, from the file.
// The danger it guards against: a watch that can find nothing: with one target, or with no time between two checks.
import type { HealthSettings, OutlierSettings, WatchSettings } from '../model.ts'
import type { CheckedWatch } from './healthSchema.ts'
import { type Page, refuse } from './page.ts'
import { below } from './pointer.ts'
import { basisPoints, durationMs } from './schema.ts'

/** @param pointer of the upstream. @returns undefined after a mistake, which is told */
export function watchOf(
  page: Page,
  pointer: string,
  settings: CheckedWatch,
  targets: number,
): WatchSettings | undefined {
  const { health, outliers, concurrency } = settings
  const isSound = areSound(page, pointer, [
    ['health/every', health?.every, 100],
    ['health/timeout', health?.timeout, 1],
    ['outliers/eject', outliers?.eject, 100],
  ])
  if (!isSound) return undefined
  if (outliers && targets <= 2) warnOfFew(page, below(pointer, 'outliers'), targets)
  return {
    ...(health && { health: healthOf(health) }),
    ...(outliers && { outliers: outliersOf(outliers) }),
    ...(concurrency && { isAdaptive: true }),
  }
}

type Least = readonly [key: string, text: string | undefined, leastMs: number]

function areSound(page: Page, pointer: string, durations: readonly Least[]): boolean {
  const short = durations.filter(([, text, leastMs]) => text !== undefined && durationMs(text) < leastMs)
  for (const [key, , leastMs] of short) {
    const [section = '', name = ''] = key.split('/')
    refuse(page, below(pointer, section, name), `${name} must be at least ${leastMs}ms`)
  }
  return short.length === 0
}

function warnOfFew(page: Page, pointer: string, targets: number): void {
  const why =
    targets === 1 ? 'with a single target there is no other' : 'of two targets the other would have to carry all'
  const message = `outliers does nothing here: ${why}; remove it (a breaker and a fallback help there)`
  page.findings.warn(page.written.keyPositionOf(pointer), message)
}

function healthOf({ path, every, timeout, unhealthy, healthy }: NonNullable<CheckedWatch['health']>): HealthSettings {
  return { path, everyMs: durationMs(every), timeoutMs: durationMs(timeout), unhealthy, healthy }
}

function outliersOf({ consecutive, eject, max }: NonNullable<CheckedWatch['outliers']>): OutlierSettings {
  return { consecutive, ejectMs: durationMs(eject), maxBasisPoints: basisPoints(max) }
}
