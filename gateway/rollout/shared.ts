// What replicas know in common of one rollout's overrides, and how each takes part of it over.
// The danger it guards against: a rollback that is lost because somebody else paused, promoted or edited at the same time.
//
// Each decision is a step that can be taken again: on what the store holds now, whoever has written there meanwhile. A
// rollback ends only by a step that names it: `acknowledgedAt` covers it for all replicas, `takenOverAt` (an edit of
// routes.yaml has asked for no more) only for those that start, for a running one may serve an older file still.
import type { Decision, Overrides, RollbackOverride } from '../model.ts'

export type DecisionKind = 'stage' | 'rollback' | 'pause' | 'resume' | 'ack' | 'advance' | 'breakGlass'

/** One decision about one rollout. */
export interface Step extends Decision {
  readonly kind: DecisionKind
  readonly key: string
  readonly before: Overrides
  readonly after: Overrides
}

/** The document that the store holds of one rollout. */
export interface Shared {
  readonly overrides: Overrides
  /** `at` of the newest rollback that was acknowledged, or taken over by an edit; 0 for none. */
  readonly acknowledgedAt: number
  readonly takenOverAt: number
  /** The newest change. */
  readonly kind: DecisionKind
  readonly by: string
  readonly reason: string
}

export const nothingShared: Shared = {
  overrides: {},
  acknowledgedAt: 0,
  takenOverAt: 0,
  kind: 'stage',
  by: 'file',
  reason: 'nothing is decided',
}

/** What the store should hold after that step; taken twice it changes nothing more. */
export function afterStep(shared: Shared, step: Step): Shared {
  const { kind, by, reason } = step
  const taken = takers[kind](shared, step)
  return taken === shared ? shared : { ...shared, ...taken, kind, by, reason }
}

type Taker = (shared: Shared, step: Step) => Partial<Shared>

const takers: Readonly<Record<DecisionKind, Taker>> = {
  rollback({ overrides, acknowledgedAt, takenOverAt }, { after }) {
    const rollback = overrides.rollback ?? after.rollback
    if (!rollback) return {}
    const { pause = after.pause } = overrides
    // It is new, whatever the clock of its replica says.
    const [acknowledged, takenOver] = [acknowledgedAt, takenOverAt].map((at) => Math.min(at, rollback.at - 1))
    return {
      overrides: { ...(pause && { pause }), rollback },
      acknowledgedAt: acknowledged ?? 0,
      takenOverAt: takenOver ?? 0,
    }
  },
  pause: ({ overrides }, { after: { pause } }) => ({ overrides: { ...overrides, ...(pause && { pause }) } }),
  resume: ({ overrides: { pause: _, ...others } }) => ({ overrides: others }),
  ack({ overrides, acknowledgedAt }, { before }) {
    const at = before.rollback?.at ?? 0
    return { overrides: withoutRollback(overrides, at), acknowledgedAt: Math.max(acknowledgedAt, at) }
  },
  advance(shared, { after: { advance } }) {
    const { rollback, pause } = shared.overrides
    // Whoever promoted has not known of it.
    if (rollback || pause) return shared
    return { overrides: advance ? { advance } : {} }
  },
  stage({ overrides, takenOverAt }, { before, after }) {
    const at = before.rollback && !after.rollback ? before.rollback.at : 0
    const { advance, ...others } = withoutRollback(overrides, at)
    const isOver = before.advance && !after.advance && advance && advance.at <= before.advance.at
    return {
      overrides: { ...others, ...(advance && !isOver && { advance }) },
      takenOverAt: Math.max(takenOverAt, at),
    }
  },
  breakGlass: (shared) => shared,
}

/** Also one that another replica decided on at the same time, a little earlier. */
function withoutRollback(overrides: Overrides, until: number): Overrides {
  const { rollback, ...others } = overrides
  return rollback && rollback.at > until ? overrides : others
}

/** What holds at a replica that knows `own` and hears of `shared`. @param isStarting `own` is what its last run left */
export function takenOver(own: Overrides, shared: Shared, isStarting = false): Overrides {
  const { rollback = kept(own.rollback, shared, isStarting), pause, advance } = shared.overrides
  // What an edit elsewhere has ended stands here until the edit is served here.
  const step = advance ?? (shared.kind === 'stage' && !isStarting ? own.advance : undefined)
  return { ...(rollback && { rollback }), ...(pause && { pause }), ...(step && !rollback && { advance: step }) }
}

function kept(rollback: RollbackOverride | undefined, shared: Shared, isStarting: boolean) {
  const until = isStarting ? Math.max(shared.acknowledgedAt, shared.takenOverAt) : shared.acknowledgedAt
  return rollback && rollback.at > until ? rollback : undefined
}

/** How that change is told: as it was decided, where it is a decision that still stands. */
export function changeBetween(
  before: Overrides,
  after: Overrides,
  { kind, by, reason }: Shared,
): Decision & { readonly kind: DecisionKind } {
  for (const one of ['rollback', 'pause', 'advance'] as const) {
    const decided = after[one]
    if (!decided || decided.at === before[one]?.at) continue
    const { evidence } = decided
    return { kind: one, by: decided.by, reason: decided.reason, ...(evidence !== undefined && { evidence }) }
  }
  return { kind, by, reason }
}

/** Of an override that the store does not know (any more): the step that makes it known. */
export function stepOf(key: string, kind: keyof Overrides, override: Decision): Step {
  const { by, reason } = override
  return { kind, key, before: {}, after: { [kind]: override }, by, reason }
}
