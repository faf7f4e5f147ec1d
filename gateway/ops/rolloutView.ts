// A rollout as operators see it: what the file declares, what requests meet, why, and what is known of both sides.
// The danger it guards against: a table that shows the file and hides what holds in its place.
import type { Decision, Effective, Json, Overrides, RolloutDeclaration, Standing, Why } from '../model.ts'
import { nextStanding } from '../rollout/promotion.ts'
import { describeStanding, percentOf } from '../rollout/standing.ts'
import type { RolloutState } from '../state/rolloutBook.ts'
import type { SideTraffic } from '../state/traffic.ts'
import type { Compared, Gateway, Verdict } from './gateway.ts'

/** A share is written as in the file: `10%`. */
export interface StandingView {
  readonly stage: Standing['stage']
  readonly share: string
}

export interface EffectiveView extends StandingView {
  readonly why: Why
  readonly reason?: string
}

export interface OverrideView {
  readonly by: string
  readonly reason: string
  /** ISO 8601. */
  readonly at: string
  readonly evidence?: Json
}

export interface WritesView {
  readonly total: number
  readonly byRoute: Readonly<Record<string, number>>
  /** ISO 8601; later than `since` of the rollout when this process is younger. */
  readonly countedSince: string
}

export interface RolloutView {
  readonly key: string
  readonly of: RolloutDeclaration['of']
  readonly routes: readonly { readonly name: string; readonly from: string; readonly to: string }[]
  readonly declared: StandingView
  readonly effective: EffectiveView
  /** When it came to stand there, as ISO 8601. */
  readonly since: string
  readonly overrides: { readonly [K in keyof Overrides]?: OverrideView }
  /** Where `promote` would go; absent where it must be told. */
  readonly next?: StandingView
  readonly takesWrites: boolean
  readonly writesSurviveRollback: boolean
  readonly writesTaken: WritesView
  readonly traffic: { readonly old: SideTraffic; readonly new: SideTraffic }
  readonly verdict?: Omit<Verdict, 'checkedAt'> & { readonly checkedAt: string }
  readonly compared?: Compared
}

export function rolloutView(state: RolloutState, gateway: Gateway): RolloutView {
  const { rollout, effective, overrides, since } = state
  const { key, of, takesWrites, writesSurviveRollback } = rollout
  const { traffic, evidence } = gateway
  const next = nextStanding(rollout, effective)
  const verdict = evidence.verdictOf(key)
  const compared = evidence.comparedOf(key)
  return {
    key,
    of,
    routes: routesOf(rollout, gateway),
    declared: standingView(rollout.declared),
    effective: effectiveView(effective),
    since: isoOf(since),
    overrides: overrideViews(overrides),
    ...(typeof next !== 'string' && { next: standingView(next) }),
    takesWrites,
    writesSurviveRollback,
    writesTaken: writesView(rollout, gateway),
    traffic: { old: traffic.side(rollout.routes, 'old'), new: traffic.side(rollout.routes, 'new') },
    ...(verdict && { verdict: { ...verdict, checkedAt: isoOf(verdict.checkedAt) } }),
    ...(compared && { compared }),
  }
}

export function standingView({ stage, shareBasisPoints }: Standing): StandingView {
  return { stage, share: percentOf(shareBasisPoints) }
}

export function effectiveView(effective: Effective): EffectiveView {
  const { why, reason } = effective
  return { ...standingView(effective), why, ...(reason !== undefined && { reason }) }
}

export function writesView({ routes }: RolloutDeclaration, { traffic }: Pick<Gateway, 'traffic'>): WritesView {
  const { countedSince, ...taken } = traffic.writesTaken(routes)
  return { ...taken, countedSince: isoOf(countedSince) }
}

/** One sentence for each rollout that does not stand where the file says. */
export function overrideHints(states: readonly RolloutState[]): string[] {
  return states.flatMap(({ rollout: { key, declared }, effective, overrides: { rollback, pause } }) => {
    const instead = `the file asks for ${describeStanding(declared)}, ${describeStanding(effective)} is served`
    if (effective.why === 'breakGlass') return `"${key}" is held by break-glass.yaml: ${instead}`
    if (effective.why === 'stateUnknown') return `"${key}": ${effective.reason}; ${instead}`
    if (rollback)
      return `"${key}" was rolled back by ${rollback.by} at ${isoOf(rollback.at)} (${rollback.reason}): ${instead}; once it is mended: banyan ack ${key}`
    if (pause)
      return `"${key}" is paused by ${pause.by} since ${isoOf(pause.at)} (${pause.reason}): banyan resume ${key}`
    return []
  })
}

function routesOf({ routes }: RolloutDeclaration, gateway: Gateway): RolloutView['routes'] {
  const declared = gateway.snapshot()?.routes ?? []
  return declared.flatMap(({ name, move }) =>
    move && routes.includes(name) ? [{ name, from: move.from.name, to: move.to.name }] : [],
  )
}

function overrideViews(overrides: Overrides): RolloutView['overrides'] {
  const views = Object.entries(overrides).map(([kind, { by, reason, at, evidence }]: [string, Decision & At]) => [
    kind,
    { by, reason, at: isoOf(at), ...(evidence !== undefined && { evidence }) },
  ])
  return Object.fromEntries(views)
}

interface At {
  readonly at: number
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
