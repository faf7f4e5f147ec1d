// What an edit of routes.yaml does to the rollouts: where each would stand, what that moves, what a way back would cost.
// The danger it guards against: a rollback that the old side, which nobody has asked for weeks, cannot carry any more.
import type { Effective, RolloutDeclaration, Standing } from '../model.ts'
import { effectiveOf, surviving } from '../rollout/effective.ts'
import { describeStanding, rankOf, standingAt, wholeShare } from '../rollout/standing.ts'
import { timeToVerdictSeconds } from '../rollout/timeToVerdict.ts'
import type { RolloutState } from '../state/rolloutBook.ts'
import type { Gateway } from './gateway.ts'
import { type EffectiveView, effectiveView, type StandingView, standingView } from './rolloutView.ts'

/** What a rollback would give back to one Upstream, in requests per minute. */
export interface Returned {
  readonly upstream: string
  readonly returns: number
  /** What it would carry after that … */
  readonly after: number
  /** … against the most that it carried in any minute of the last hour. */
  readonly most: number
}

export interface MovePlan {
  readonly key: string
  readonly routes: readonly string[]
  /** What requests meet now; absent for a move that is new. */
  readonly from?: EffectiveView
  /** What they would meet; absent for a move that is gone. */
  readonly to?: EffectiveView
  readonly declared: { readonly from?: StandingView; readonly to?: StandingView }
  /** Of clients, to both sides, measured over the last minutes. */
  readonly requestsPerMinute: number
  /** To the new side; negative: back to the old one. */
  readonly movedPerMinute: number
  readonly writesMovedPerMinute: number
  readonly rollback: readonly Returned[]
  /** Until its guard can say anything, at today's rate; null: never. Absent where no guard is at work. */
  readonly secondsToVerdict?: number | null
  /** Sentences. */
  readonly warnings: readonly string[]
}

/** Of those rollouts that stand, or are declared, otherwise than now. */
export function moveOf(
  state: RolloutState | undefined,
  next: RolloutDeclaration | undefined,
  gateway: Gateway,
): MovePlan | undefined {
  const rollout = next ?? state?.rollout
  if (!rollout) return undefined
  const to = next && standingAfter(next, state)
  if (state && next && isSame(state.rollout.declared, next.declared) && to && isSame(state.effective, to))
    return undefined
  const measured = measure(state, to ?? standingAt('legacy'), gateway)
  const seconds = next && to && secondsToVerdict(next, to, measured.requestsPerMinute)
  return {
    key: rollout.key,
    routes: rollout.routes,
    ...(state && { from: effectiveView(state.effective) }),
    ...(to && { to: effectiveView(to) }),
    declared: {
      ...(state && { from: standingView(state.rollout.declared) }),
      ...(next && { to: standingView(next.declared) }),
    },
    ...measured,
    ...(seconds !== undefined && { secondsToVerdict: Number.isFinite(seconds) ? seconds : null }),
    warnings: next && to ? warningsOf({ state, next, to, ...measured }) : [],
  }
}

/** What the file would say, under what operators have decided. */
function standingAfter(next: RolloutDeclaration, state: RolloutState | undefined): Effective {
  const why = state?.effective.why
  const circumstances = {
    brokenGlass: new Set(why === 'breakGlass' ? [next.key] : []),
    isStateUnknown: why === 'stateUnknown',
  }
  return effectiveOf(next, surviving(next, state?.overrides ?? {}).overrides, circumstances)
}

type Measured = Pick<MovePlan, 'requestsPerMinute' | 'movedPerMinute' | 'writesMovedPerMinute' | 'rollback'>

function measure(state: RolloutState | undefined, to: Standing, gateway: Gateway): Measured {
  const routes = state?.rollout.routes ?? []
  const [old, now] = [gateway.traffic.side(routes, 'old'), gateway.traffic.side(routes, 'new')]
  const gained = (to.shareBasisPoints - (state?.effective.shareBasisPoints ?? 0)) / wholeShare
  const share = to.shareBasisPoints / wholeShare
  return {
    requestsPerMinute: Math.round(old.requestsPerMinute + now.requestsPerMinute),
    movedPerMinute: Math.round((old.requestsPerMinute + now.requestsPerMinute) * gained),
    writesMovedPerMinute: Math.round((old.writesPerMinute + now.writesPerMinute) * gained),
    rollback: to.stage === 'final' || share === 0 ? [] : returned(routes, share, gateway),
  }
}

function returned(routes: readonly string[], share: number, { snapshot, traffic }: Gateway): Returned[] {
  const moving = (snapshot()?.routes ?? []).filter(({ name, move }) => move && routes.includes(name))
  const byUpstream = Map.groupBy(moving, ({ move }) => move?.from.name ?? '')
  return [...byUpstream].map(([upstream, from]) => {
    const names = from.map(({ name }) => name)
    const [old, now] = [traffic.side(names, 'old').requestsPerMinute, traffic.side(names, 'new').requestsPerMinute]
    const { perMinute, mostPerMinute } = traffic.load(upstream)
    // After a way back it carries what it carries now, and what the new side does.
    return {
      upstream,
      returns: Math.round((old + now) * share),
      after: Math.round(perMinute + now),
      most: mostPerMinute,
    }
  })
}

function secondsToVerdict(next: RolloutDeclaration, to: Standing, perMinute: number): number | undefined {
  if (to.stage !== 'canary' && to.stage !== 'live') return undefined
  const share = to.shareBasisPoints / wholeShare
  const control = to.stage === 'canary' ? 'oldSide' : share < 1 ? 'holdback' : 'frozenBaseline'
  const perSecond = perMinute / 60
  // How much is compared depends on the sample, so that is not asked about.
  const rates = { candidate: perSecond * share, control: perSecond * (1 - share), compared: Number.POSITIVE_INFINITY }
  return timeToVerdictSeconds(next.guard, control, rates)
}

interface Doubted extends Measured {
  readonly state: RolloutState | undefined
  readonly next: RolloutDeclaration
  readonly to: Effective
}

function warningsOf({ state, next, to, writesMovedPerMinute, rollback }: Doubted): string[] {
  const { key, declared, takesWrites, writesSurviveRollback } = next
  const from = state?.effective ?? standingAt('legacy')
  const skipped = rankOf(to.stage) - rankOf(from.stage) > 1
  const isHeld = to.why !== 'file'
  const mayLose = takesWrites && !writesSurviveRollback && to.shareBasisPoints > from.shareBasisPoints
  return [
    isHeld
      ? [
          `"${key}" stays at ${describeStanding(to)} (${to.why}: ${to.reason ?? ''}); the file asks for ${describeStanding(declared)}`,
        ]
      : [],
    skipped ? [`"${key}" skips a stage: from ${from.stage} to ${to.stage}`] : [],
    mayLose
      ? [
          `"${key}" moves writes, about ${writesMovedPerMinute} a minute; a rollback would leave them behind (no writesSurviveRollback)`,
        ]
      : [],
    to.stage === 'final' && from.stage !== 'final' ? [`"${key}" becomes final: nothing goes back from there`] : [],
    ...rollback
      .filter(({ after, most }) => after > most)
      .map(({ upstream, after, most }) => [
        `a rollback of "${key}" would give ${upstream} ${after} requests a minute; the most it carried in a minute of the last hour is ${most}`,
      ]),
  ].flat()
}

function isSame(a: Standing, b: Standing): boolean {
  return a.stage === b.stage && a.shareBasisPoints === b.shareBasisPoints
}
