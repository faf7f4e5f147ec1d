// Where each Rollout stands: what the file declares, and what operators, the guard and the broken glass say over it.
// Kept by the rollout's key and mirrored in stateDir, so that neither a reload nor a restart forgets it.
// The danger it guards against: a rollback that is undone by an edit of something else, or by a crash.
import type { Decision, Effective, Overrides, RolloutDeclaration, Snapshot, Standing } from '../model.ts'
import { type Circumstances, effectiveOf, rolledBack, surviving } from '../rollout/effective.ts'
import { compareStandings, isSameStanding } from '../rollout/standing.ts'
import { Refusal, type RolloutBook, type RolloutChange, type RolloutState } from './rolloutBook.ts'
import { createRolloutFile, type RolloutFile } from './rolloutFile.ts'

interface Entry {
  rollout: RolloutDeclaration
  overrides: Overrides
  effective: Effective
  since: number
}

/** @param told what went wrong with writing it down: loudly, for a crash would forget it */
export function createRollouts(wall: () => number, told: (thrown: unknown) => void): RolloutBook {
  return new Book(wall, createRolloutFile(told))
}

class Book implements RolloutBook {
  readonly #entries = new Map<string, Entry>()
  /** Of rollouts that the file does not have (yet). */
  readonly #kept = new Map<string, Overrides>()
  readonly #listeners: ((change: RolloutChange) => void)[] = []
  readonly #wall: () => number
  readonly #file: RolloutFile
  #circumstances: Circumstances = { brokenGlass: new Set(), isStateUnknown: false }

  constructor(wall: () => number, file: RolloutFile) {
    this.#wall = wall
    this.#file = file
  }

  async open(stateDir: string): Promise<void> {
    const { overrides, isUnknown } = await this.#file.open(stateDir)
    for (const [key, of] of overrides) this.#kept.set(key, of)
    this.#circumstances = { ...this.#circumstances, isStateUnknown: isUnknown }
  }

  standing({ key, declared }: RolloutDeclaration): Effective {
    // A request may end under a Snapshot whose rollouts are gone already.
    return this.#entries.get(key)?.effective ?? { ...declared, why: 'file' }
  }

  splitKey(): string {
    return this.#file.splitKey()
  }

  orphans(next: ReadonlyMap<string, RolloutDeclaration>): string[] {
    const all = [...this.#kept, ...[...this.#entries].map(([key, { overrides }]) => [key, overrides] as const)]
    return all
      .filter(([key, { rollback }]) => rollback && !next.has(key))
      .map(
        ([key, { rollback }]) =>
          `"${key}" was rolled back (${rollback?.reason}) and is not in the file any more; if it has a new name give that route "was: ${key}", or end the rollback first: banyan ack ${key}`,
      )
  }

  declare({ rollouts }: Pick<Snapshot, 'rollouts'>): void {
    for (const [key, { overrides }] of this.#entries) {
      if (rollouts.has(key)) continue
      this.#entries.delete(key)
      if (overrides.rollback) this.#kept.set(key, overrides)
    }
    for (const rollout of rollouts.values()) this.#declareOne(rollout)
    this.#save()
  }

  #declareOne(rollout: RolloutDeclaration): void {
    const { key } = rollout
    const known = this.#entries.get(key)
    const { overrides, ended } = surviving(rollout, known?.overrides ?? this.#kept.get(key) ?? {})
    this.#kept.delete(key)
    if (known) {
      known.rollout = rollout
      this.#turn(known, overrides, { kind: 'stage', by: 'file', reason: ended[0] ?? 'routes.yaml was edited' })
    } else {
      const effective = effectiveOf(rollout, overrides, this.#circumstances)
      this.#entries.set(key, { rollout, overrides, effective, since: this.#wall() })
    }
  }

  breakGlass(legacy: Circumstances['brokenGlass']): void {
    this.#circumstances = { ...this.#circumstances, brokenGlass: legacy }
    for (const entry of this.#entries.values()) {
      this.#turn(entry, entry.overrides, {
        kind: 'breakGlass',
        by: 'break-glass.yaml',
        reason: 'break-glass.yaml was changed',
      })
    }
  }

  async rollBack(key: string, decision: Decision): Promise<void> {
    const entry = this.#entryOf(key)
    const { rollout, effective, overrides } = entry
    if (overrides.rollback) return this.#save()
    const to = rolledBack(rollout)
    if (effective.stage === 'final')
      throw new Refusal(`"${key}" is final: the old side is never asked again; an edit of routes.yaml is the only way`)
    if (compareStandings(effective, to) <= 0)
      throw new Refusal(`"${key}" stands at ${effective.stage}, where the old side answers already`)
    const { pause } = overrides
    const rollback = { ...decision, at: this.#wall(), from: plain(effective), to, hash: rollout.hash }
    this.#turn(entry, { ...(pause && { pause }), rollback }, { kind: 'rollback', ...decision })
    return this.#save()
  }

  async pause(key: string, decision: Decision): Promise<void> {
    const entry = this.#entryOf(key)
    const pause = { ...decision, at: this.#wall(), held: plain(entry.effective) }
    this.#turn(entry, { ...entry.overrides, pause }, { kind: 'pause', ...decision })
    return this.#save()
  }

  async resume(key: string, decision: Decision): Promise<void> {
    const entry = this.#entryOf(key)
    const { pause, ...others } = entry.overrides
    if (!pause) throw new Refusal(`"${key}" is not paused`)
    this.#turn(entry, others, { kind: 'resume', ...decision })
    return this.#save()
  }

  async acknowledge(key: string, decision: Decision): Promise<void> {
    const entry = this.#entryOf(key)
    const { rollback, ...others } = entry.overrides
    if (!rollback) throw new Refusal(`"${key}" is not rolled back: nothing is to be acknowledged`)
    this.#turn(entry, others, { kind: 'ack', ...decision })
    return this.#save()
  }

  async advance(key: string, to: Standing, decision: Decision): Promise<void> {
    const entry = this.#entryOf(key)
    const { overrides, rollout } = entry
    if (overrides.rollback)
      throw new Refusal(
        `"${key}" was rolled back (${overrides.rollback.reason}); acknowledge it first: banyan ack ${key}`,
      )
    if (overrides.pause)
      throw new Refusal(`"${key}" is paused (${overrides.pause.reason}); resume it first: banyan resume ${key}`)
    const advance = { ...decision, at: this.#wall(), to, declared: plain(rollout.declared) }
    const others = isSameStanding(to, rollout.declared) ? {} : { advance }
    this.#turn(entry, others, { kind: 'advance', ...decision })
    return this.#save()
  }

  states(): RolloutState[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry }))
  }

  state(key: string): RolloutState {
    return { ...this.#entryOf(key) }
  }

  onChange(listener: (change: RolloutChange) => void): void {
    this.#listeners.push(listener)
  }

  written(): Promise<void> {
    return this.#file.written()
  }

  #entryOf(key: string): Entry {
    const entry =
      this.#entries.get(key) ?? [...this.#entries.values()].find(({ rollout }) => rollout.routes.includes(key))
    if (!entry)
      throw new Refusal(
        `no route or group "${key}" moves; those that do are ${[...this.#entries.keys()].join(', ') || 'none'}`,
      )
    return entry
  }

  /** Takes effect at once; whoever listens hears of it when something is different. */
  #turn(entry: Entry, overrides: Overrides, { kind, ...decision }: Pick<RolloutChange, 'kind'> & Decision): void {
    const from = entry.effective
    const to = effectiveOf(entry.rollout, overrides, this.#circumstances)
    const hasMoved = !isSameStanding(from, to)
    const isTold = hasMoved || from.why !== to.why || entry.overrides !== overrides
    entry.overrides = overrides
    entry.effective = to
    if (hasMoved) entry.since = this.#wall()
    if (!isTold || (!hasMoved && kind === 'stage' && from.why === to.why)) return
    for (const listener of this.#listeners) listener({ kind, rollout: entry.rollout, from, to, ...decision })
  }

  #save(): Promise<void> {
    const overridden = [...this.#entries].map(([key, { overrides }]) => [key, overrides] as const)
    return this.#file.save(
      new Map([...this.#kept, ...overridden].filter(([, overrides]) => Object.keys(overrides).length > 0)),
    )
  }
}

function plain({ stage, shareBasisPoints }: Standing): Standing {
  return { stage, shareBasisPoints }
}
