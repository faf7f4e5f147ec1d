// Where each Rollout stands: what the file declares, and what operators, the guard and the broken glass say over it.
// Kept by the rollout's key and mirrored in stateDir, so that neither a reload nor a restart forgets it.
// The danger it guards against: a rollback that is undone by an edit of something else, or by a crash.
import { isDeepStrictEqual } from 'node:util'
import type { Decision, Effective, Overrides, RolloutDeclaration, Snapshot, Standing } from '../model.ts'
import { type Circumstances, effectiveOf, surviving } from '../rollout/effective.ts'
import type { Step } from '../rollout/shared.ts'
import { isSameStanding } from '../rollout/standing.ts'
import { Refusal, type RolloutBook, type RolloutChange, type RolloutState } from './rolloutBook.ts'
import { createRolloutFile, type RolloutFile } from './rolloutFile.ts'
import * as orders from './rolloutOrders.ts'

type Turn = Pick<RolloutChange, 'kind' | 'isRemote'> & Decision

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
  /** Until the first declaration: where the file had them when the gateway last ran. */
  #declaredBefore: ReadonlyMap<string, Standing> = new Map()
  readonly #listeners: ((change: RolloutChange) => void)[] = []
  readonly #deciders: ((step: Step) => void)[] = []
  readonly #wall: () => number
  readonly #file: RolloutFile
  #circumstances: Circumstances = { brokenGlass: new Set(), isStateUnknown: false }

  constructor(wall: () => number, file: RolloutFile) {
    this.#wall = wall
    this.#file = file
  }

  async open(stateDir: string): Promise<boolean> {
    const { overrides, declared, isUnknown, isThere } = await this.#file.open(stateDir)
    this.#declaredBefore = declared
    for (const [key, of] of overrides) this.#kept.set(key, of)
    if (isUnknown) this.know(false)
    return isThere && !isUnknown
  }

  standing({ key, declared }: RolloutDeclaration): Effective {
    // A request may end under a Snapshot whose rollouts are gone already.
    return this.#entries.get(key)?.effective ?? { ...declared, why: 'file' }
  }

  splitKey(): string {
    return this.#file.splitKey()
  }

  orphans(next: ReadonlyMap<string, RolloutDeclaration>): string[] {
    return [...this.overrides()].flatMap(([key, { rollback }]) =>
      rollback && !next.has(key) ? [orders.orphanSentence(key, rollback)] : [],
    )
  }

  declare({ rollouts }: Pick<Snapshot, 'rollouts'>): void {
    for (const [key, { overrides }] of this.#entries) {
      if (rollouts.has(key)) continue
      this.#entries.delete(key)
      if (overrides.rollback) this.#kept.set(key, overrides)
    }
    for (const rollout of rollouts.values()) this.#declareOne(rollout)
    this.#declaredBefore = new Map()
    // A mirror of what could not be read would be taken for all that there was.
    if (!this.#circumstances.isStateUnknown) this.#save()
  }

  #declareOne(rollout: RolloutDeclaration): void {
    const { key } = rollout
    const known = this.#entries.get(key)
    const before = known?.overrides ?? this.#kept.get(key) ?? {}
    const { overrides, ended } = surviving(rollout, before)
    this.#kept.delete(key)
    if (known) {
      known.rollout = rollout
      this.#turn(known, overrides, { kind: 'stage', by: 'file', reason: ended[0] ?? 'routes.yaml was edited' })
    } else {
      const declared = this.#declaredBefore.get(key) ?? rollout.declared
      const effective = effectiveOf({ ...rollout, declared }, before, this.#circumstances)
      const entry = { rollout, overrides: before, effective, since: this.#wall() }
      this.#entries.set(key, entry)
      const reason = ended[0] ?? 'routes.yaml was edited while the gateway was down'
      this.#turn(entry, overrides, { kind: 'stage', by: 'file', reason })
    }
  }

  breakGlass(legacy: Circumstances['brokenGlass']): void {
    const change = { kind: 'breakGlass', by: 'break-glass.yaml', reason: 'break-glass.yaml was changed' } as const
    this.#turnAll({ ...this.#circumstances, brokenGlass: legacy }, change)
  }

  #turnAll(circumstances: Circumstances, change: Turn): void {
    this.#circumstances = circumstances
    for (const entry of this.#entries.values()) this.#turn(entry, entry.overrides, change)
  }

  readonly rollBack = (key: string, decision: Decision) => this.#decide(key, 'rollback', decision, orders.rollBack)
  readonly pause = (key: string, decision: Decision) => this.#decide(key, 'pause', decision, orders.pause)
  readonly resume = (key: string, decision: Decision) => this.#decide(key, 'resume', decision, orders.resume)
  readonly acknowledge = (key: string, decision: Decision) => this.#decide(key, 'ack', decision, orders.acknowledge)
  readonly advance = (key: string, to: Standing, decision: Decision) =>
    this.#decide(key, 'advance', decision, orders.advanceTo(to))

  async #decide(key: string, kind: RolloutChange['kind'], decision: Decision, order: orders.Order): Promise<void> {
    const entry = this.#entryOf(key)
    this.#turn(entry, order(entry, { ...decision, at: this.#wall() }), { kind, ...decision })
    return this.#save()
  }

  overrides(): ReadonlyMap<string, Overrides> {
    return new Map([...this.#kept, ...[...this.#entries].map(([key, { overrides }]) => [key, overrides] as const)])
  }

  adopt(key: string, overrides: Overrides, change: Turn): void {
    const entry = this.#entries.get(key)
    const left = entry ? surviving(entry.rollout, overrides).overrides : overrides
    if (isDeepStrictEqual(left, entry ? entry.overrides : this.#kept.get(key))) return
    if (entry) this.#turn(entry, left, { ...change, isRemote: true })
    else this.#kept.set(key, left)
    this.#save()
  }

  know(isKnown: boolean): void {
    if (this.#circumstances.isStateUnknown !== isKnown) return
    const reason = `what was decided about it can${isKnown ? '' : 'not'} be read`
    this.#turnAll({ ...this.#circumstances, isStateUnknown: !isKnown }, { kind: 'stage', by: 'store', reason })
  }

  useSplitKey(key: string): Promise<void> {
    return this.#file.useSplitKey(key)
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

  onDecision(listener: (step: Step) => void): void {
    this.#deciders.push(listener)
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
  #turn(entry: Entry, overrides: Overrides, change: Turn): void {
    const { effective: from, overrides: before, rollout } = entry
    const to = effectiveOf(rollout, overrides, this.#circumstances)
    const hasMoved = !isSameStanding(from, to)
    const isTold = hasMoved || from.why !== to.why || before !== overrides
    entry.overrides = overrides
    entry.effective = to
    if (hasMoved) entry.since = this.#wall()
    if (!change.isRemote) this.#tellDecision(rollout.key, before, change)
    if (!isTold || (!hasMoved && change.kind === 'stage' && from.why === to.why)) return
    for (const listener of this.#listeners) listener({ ...change, rollout, from, to })
  }

  #tellDecision(key: string, before: Overrides, change: Turn): void {
    const after = this.#entries.get(key)?.overrides ?? {}
    if (isDeepStrictEqual(before, after)) return
    for (const listener of this.#deciders) listener({ ...change, key, before, after })
  }

  #save(): Promise<void> {
    const overridden = [...this.overrides()].filter(([, overrides]) => Object.keys(overrides).length > 0)
    const declared = [...this.#entries].map(([key, { rollout }]) => [key, rollout.declared] as const)
    return this.#file.save({ overrides: new Map(overridden), declared: new Map(declared) })
  }
}
