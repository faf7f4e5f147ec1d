// What knows where the moves stand, watches them, moves them on or back, and tells of it.
// The danger it guards against: a guard that runs and is heard by nobody, or one that stops with the file it was read from.
import type { Loading } from './config/load.ts'
import type { Clock, Decision, RolloutDeclaration, Snapshot } from './model.ts'
import type { Evidence } from './ops/gateway.ts'
import type { Log } from './ops/log.ts'
import { createRecord, type Record } from './ops/record.ts'
import { describeStanding } from './rollout/standing.ts'
import { type Baselines, createBaselines } from './state/baselines.ts'
import type { Guards } from './state/guarding.ts'
import { createGuards } from './state/guards.ts'
import type { RolloutBook } from './state/rolloutBook.ts'
import { createRollouts } from './state/rollouts.ts'
import { createSharing, type Sharing, type SharingParts } from './state/sharing.ts'
import { createTraffic, type Traffic } from './state/traffic.ts'

export interface Moving {
  readonly rollouts: RolloutBook
  readonly sharing: Sharing
  readonly record: Record
  readonly traffic: Traffic
  readonly guards: Guards
  readonly evidence: Evidence
  /** What a reading of routes.yaml must know of the rollouts. */
  readonly remembered: Loading['rollouts']
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Snapshot): void
  /** Begins to judge; once, when stateDir is known. */
  open(stateDir: string): Promise<void>
  close(): Promise<void>
}

const judgeEveryMs = 1_000

export function assembleMoving(clock: Clock, { life }: Pick<Log, 'life'>): Moving {
  const forgetful = (thrown: unknown) =>
    life.error(
      { reason: String(thrown) },
      'what is decided about the rollouts is not written down: a restart would forget it',
    )
  const rollouts = createRollouts(clock.wall, forgetful)
  const sharing = createSharing({ book: rollouts, clock, random: Math.random, ...tellerOf(life) })
  const record = createRecord(clock, life, sharing.records)
  const traffic = createTraffic(clock)
  const baselines = createBaselines(forgetful)
  const alarm = (rollout: RolloutDeclaration, decision: Decision) => record.note(alarmOf(rollout, decision, rollouts))
  const guards = createGuards({ clock, rollouts, baselines, alarm, others: sharing.seen })
  rollouts.onChange((change) => {
    traffic.turned(change)
    record.changed(change)
  })
  return {
    rollouts,
    sharing,
    record,
    traffic,
    guards,
    evidence: evidenceOf(guards),
    remembered: { open: sharing.open, orphans: (next) => rollouts.orphans(next) },
    follow(snapshot) {
      traffic.follow(snapshot)
      rollouts.declare(snapshot)
      guards.follow(snapshot)
      sharing.follow(snapshot)
    },
    ...lifetime({ rollouts, sharing, record, baselines, guards }),
  }
}

function lifetime({
  rollouts,
  sharing,
  record,
  baselines,
  guards,
}: Pick<Moving, 'rollouts' | 'sharing' | 'record' | 'guards'> & { baselines: Baselines }) {
  let judging: NodeJS.Timeout | undefined
  return {
    async open(stateDir: string) {
      record.open(stateDir)
      await baselines.open(stateDir)
      judging ??= setInterval(() => {
        guards.tick()
        sharing.round(guards)
      }, judgeEveryMs).unref()
    },
    async close() {
      clearInterval(judging)
      await rollouts.written()
      await baselines.written()
      await record.close()
      await sharing.close()
    },
  }
}

function tellerOf(life: Log['life']): Pick<SharingParts, 'onState' | 'onEvicting' | 'onFailure'> {
  return {
    onState({ is, why }) {
      if (is === 'up') life.info({ store: is }, 'the store is up: moves are shared with the other replicas')
      else life.warn({ store: is, reason: why }, 'the store is down: this replica goes on with what it knows')
    },
    onEvicting: (sentence) => life.error({ store: 'evicting' }, sentence),
    onFailure: (thrown) => life.error({ reason: String(thrown) }, 'what replicas share was not taken over'),
  }
}

function alarmOf({ key }: RolloutDeclaration, decision: Decision, rollouts: RolloutBook) {
  const standing = describeStanding(rollouts.state(key).effective)
  return { kind: 'alarm', subject: key, from: standing, to: standing, ...decision }
}

function evidenceOf(guards: Guards): Evidence {
  return {
    verdictOf(key) {
      const watched = guards.verdictOf(key)
      if (!watched) return undefined
      const { result, reasons, evidence } = watched.verdict
      const sentences = reasons.map(({ sentence }) => sentence)
      return { result, reasons: sentences, control: evidence.control, checkedAt: watched.checkedAtMs }
    },
    comparedOf: (key) => guards.comparedOf(key),
  }
}
