// Watches each canary and live move while requests run, and acts: a fail goes back to the old side at once, a pass that holds
// goes on by the steps of the file. The danger it guards against: a rollback that waits for somebody to look.
import type { Decision, Json, Outcome, RolloutDeclaration, Snapshot } from '../model.ts'
import { nextStep } from '../rollout/advance.ts'
import { countOf } from '../rollout/counts.ts'
import { type Hours, parseHours } from '../rollout/hours.ts'
import { type Mover, moversOf, sideOf } from '../rollout/sides.ts'
import { addSpans, spansOf } from '../rollout/spans.ts'
import { describeStanding, isSameStanding, percentOf, standingAt } from '../rollout/standing.ts'
import { judge, type Verdict } from '../rollout/verdict.ts'
import { createWindows, longestSpanMs, type Windows } from '../rollout/windows.ts'
import { controlOf } from './baselines.ts'
import type { GuardParts, Guards, Seen, Watched } from './guarding.ts'
import type { RolloutChange, RolloutState } from './rolloutBook.ts'

interface Watch {
  windows: Windows
  windowMs: number
  /** What began before is of another standing. Monotonic milliseconds. */
  freshSince: number
  watched?: Watched | undefined
  hasPaused: boolean
  /** What it was judged by last, without what the others saw: to sum it up again costs half a millisecond. */
  seen?: Seen
}

export function createGuards(parts: GuardParts): Guards {
  return new GuardRound(parts)
}

class GuardRound implements Guards {
  readonly #parts: GuardParts
  readonly #watches = new Map<string, Watch>()
  #movers: ReadonlyMap<string, Mover> = new Map()

  constructor(parts: GuardParts) {
    this.#parts = parts
    parts.rollouts.onChange((change) => this.#begin(change))
  }

  follow({ routes }: Pick<Snapshot, 'routes'>): void {
    this.#movers = moversOf(routes)
    const keys = new Set([...this.#movers.values()].map(({ rollout }) => rollout.key))
    for (const key of this.#watches.keys()) if (!keys.has(key)) this.#watches.delete(key)
  }

  observe(outcome: Outcome): void {
    const mover = this.#movers.get(outcome.route)
    if (!mover) return
    const { stage } = this.#parts.rollouts.standing(mover.rollout)
    if (stage !== 'canary' && stage !== 'live') return
    const side = sideOf(outcome, mover, stage)
    if (!side) return
    const watch = this.#watchOf(mover.rollout)
    if (this.#parts.clock.now() - outcome.totalMs >= watch.freshSince) watch.windows.observe(side, outcome)
  }

  compared(rollout: RolloutDeclaration, isSame: boolean): void {
    this.#watchOf(rollout).windows.compared(isSame)
  }

  breakerOpened(upstream: string): void {
    const led = [...this.#movers.values()].filter(({ to }) => to === upstream).map(({ rollout }) => rollout)
    for (const rollout of new Map(led.map((rollout) => [rollout.key, rollout])).values()) {
      const { stage } = this.#parts.rollouts.standing(rollout)
      if (stage === 'canary' || stage === 'live') this.#watchOf(rollout).windows.breakerOpened()
    }
  }

  tick(): void {
    for (const state of this.#parts.rollouts.states()) {
      const { stage } = state.effective
      if (stage === 'canary' || stage === 'live') this.#judge(state)
      else if (this.#watches.has(state.rollout.key)) this.#watchOf(state.rollout).watched = undefined
    }
  }

  verdictOf(key: string): Watched | undefined {
    return this.#watches.get(key)?.watched
  }

  comparedOf(key: string): ReturnType<Guards['comparedOf']> {
    const counts = this.#watches.get(key)?.windows.span('new', longestSpanMs)
    return counts && { compared: countOf(counts, 'compared'), mismatched: countOf(counts, 'mismatched') }
  }

  seenOf(key: string): Seen | undefined {
    return this.#watches.get(key)?.seen
  }

  #watchOf({ key, guard: { windowMs } }: RolloutDeclaration): Watch {
    const known = this.#watches.get(key)
    if (known?.windowMs === windowMs) return known
    const { clock } = this.#parts
    const windows = createWindows({ windowMs, now: clock.now })
    const watch = { windows, windowMs, freshSince: Number.NEGATIVE_INFINITY, hasPaused: false }
    this.#watches.set(key, watch)
    return watch
  }

  /** Another standing: what the old side did is kept as a baseline, and the windows begin anew. */
  #begin({ kind, rollout, from, to }: RolloutChange): void {
    const watch = this.#watchOf(rollout)
    const hasMoved = !isSameStanding(from, to)
    // Whoever resumes what the guard has paused has seen to it: what comes now is judged, and told of, anew.
    if (!hasMoved && !(kind === 'resume' && watch.hasPaused)) return
    if (hasMoved && from.stage === 'canary') this.#parts.baselines.freeze(rollout, watch.windows)
    watch.windows.reset()
    delete watch.seen
    watch.freshSince = this.#parts.clock.now()
    watch.watched = undefined
    watch.hasPaused = false
  }

  #judge(state: RolloutState): void {
    const { rollout } = state
    const watch = this.#watchOf(rollout)
    const { clock, baselines, others } = this.#parts
    watch.seen = seenBy(watch)
    const seen = addSeen(watch.seen, others?.(state))
    const { control, spans } = controlOf(state, seen.spans, baselines)
    const verdict = judge({ guard: rollout.guard, spans, control, failuresInARow: seen.rows })
    const nowMs = clock.wall()
    const isNew = watch.watched?.verdict.result !== verdict.result
    watch.watched = { verdict, sinceMs: isNew ? nowMs : (watch.watched?.sinceMs ?? nowMs), checkedAtMs: nowMs }
    if (verdict.result === 'fail') this.#fail(state, watch, decisionOf(verdict))
    else if (verdict.result === 'alarm' && isNew) this.#parts.alarm(rollout, decisionOf(verdict))
    else this.#goOn(state, watch.watched)
  }

  /** Writes that the new side took would be missing at the old one: then somebody must decide. */
  #fail({ rollout, overrides }: RolloutState, watch: Watch, decision: Decision): void {
    const { rollouts, alarm } = this.#parts
    if (!rollout.takesWrites || rollout.writesSurviveRollback) {
      attempt(rollouts.rollBack(rollout.key, decision))
      return
    }
    if (watch.hasPaused) return
    watch.hasPaused = true
    alarm(rollout, {
      ...decision,
      reason: `${decision.reason}; it takes writes, so going back is for you to decide: banyan rollback ${rollout.key}`,
    })
    if (!overrides.pause) attempt(rollouts.pause(rollout.key, decision))
  }

  #goOn({ rollout, effective, overrides, since }: RolloutState, { verdict, sinceMs }: Watched): void {
    const { advance, guard, key } = rollout
    if (!advance || effective.stage !== 'canary' || overrides.pause) return
    const hours = hoursOf(advance.hours)
    const step = nextStep({
      stepsBasisPoints: advance.stepsBasisPoints,
      currentBasisPoints: effective.shareBasisPoints,
      enteredAtMs: since,
      eachMs: advance.eachMs,
      ...(hours && { hours }),
      verdict: { result: verdict.result, sinceMs },
      windowMs: guard.windowMs,
      nowMs: this.#parts.clock.wall(),
    })
    if (step.step !== 'advance') return
    const to = standingAt('canary', { shareBasisPoints: step.toBasisPoints })
    const reason = `passed at ${describeStanding(effective)}; the next step is ${percentOf(step.toBasisPoints)}`
    attempt(this.#parts.rollouts.advance(key, to, { by: 'steps', reason, evidence: asJson(verdict.evidence) }))
  }
}

function seenBy({ windows, windowMs }: Watch): Seen {
  const rows = { candidate: windows.failuresInARow('new'), control: windows.failuresInARow('old') }
  return { spans: spansOf(windows, windowMs), rows }
}

/** Requests of replicas add up; a row is of one replica, for nobody knows how theirs would interleave. */
function addSeen(own: Seen, others: Seen | undefined): Seen {
  if (!others) return own
  const candidate = Math.max(own.rows.candidate, others.rows.candidate)
  const control = Math.max(own.rows.control, others.rows.control)
  return { spans: addSpans(own.spans, others.spans), rows: { candidate, control } }
}

function decisionOf({ reasons, evidence }: Verdict): Decision {
  return { by: 'guard', reason: reasons.map(({ sentence }) => sentence).join('; '), evidence: asJson(evidence) }
}

function asJson(value: object): Json {
  return JSON.parse(JSON.stringify(value))
}

/** Checked when the file was read. */
function hoursOf(text: string | undefined): Hours | undefined {
  const hours = text === undefined ? undefined : parseHours(text)
  return hours && 'isOpen' in hours ? hours : undefined
}

/** It holds in memory at once; that it could not be written down has been told already. */
function attempt(done: Promise<void>): void {
  done.catch(() => {})
}
