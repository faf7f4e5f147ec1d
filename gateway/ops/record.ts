// Who moved what, when and why, told twice: a line of the log for whoever watches, a record of the audit for whoever asks later.
// The danger it guards against: a move that only shows in what clients say of it.
import type { Clock, Snapshot } from '../model.ts'
import { describeStanding } from '../rollout/standing.ts'
import { type Audit, createAudit, nameWriter } from '../state/audit.ts'
import { type AuditQuery, type FoundHead, readAudit, readHeads } from '../state/auditRead.ts'
import type { AuditEntry, AuditRecord } from '../state/auditRecord.ts'
import { createRefusals } from '../state/auditRefusals.ts'
import type { BreakerTurn } from '../state/breakers.ts'
import type { RolloutChange } from '../state/rolloutBook.ts'
import { mergeRecords, type SharedRecords } from '../state/sharing/records.ts'
import { realSchedule } from '../state/streams.ts'
import type { Log } from './log.ts'

export interface Record {
  /** Once; what comes before it is recorded as soon as it is called. */
  open(stateDir: string): void
  changed(change: RolloutChange): void
  /** A file was accepted, at the start or later. */
  accepted(snapshot: Snapshot): void
  /** The breaker before an Upstream has turned. */
  turned(turn: BreakerTurn): void
  /** An alarm. */
  note(entry: AuditEntry): void
  /** Whatever else somebody may ask for later, such as an order; with what the log says of it. */
  audit(entry: AuditEntry, message: string): void
  /** Credentials did not open what was asked for: bounded for each source, an address say. */
  refused(source: string, entry: AuditEntry): void
  /** Of all replicas. Rejects when stateDir cannot be read. */
  history(query: AuditQuery): Promise<readonly AuditRecord[]>
  /** Where each chain stands on this replica's disk. Rejects when stateDir cannot be read. */
  heads(): Promise<readonly FoundHead[]>
  close(): Promise<void>
}

function tellTurn({ upstream, from, to, reason, forMs, isFleets }: BreakerTurn, life: Log['life']): void {
  const by = isFleets && 'fleet'
  if (to === 'open') life.warn({ upstream, from, to, reason, forMs, by }, 'breaker opened')
  else life.info({ upstream, from, to, reason, by }, to === 'closed' ? 'breaker closed' : 'breaker half-open')
}

/** What an operator should hear of at once. */
const loud: ReadonlySet<string> = new Set(['rollback', 'breakGlass', 'alarm'])

function tellMove({ kind, subject, by, from, to, reason }: AuditEntry, life: Log['life'], isRemote?: true): void {
  const message = `rollout ${kind}`
  const moved = { rollout: subject, by, from, to, reason, isRemote }
  if (loud.has(kind)) life.warn(moved, message)
  else life.info(moved, message)
}

function entryOf({ kind, rollout, from, to, by, reason, evidence }: RolloutChange): AuditEntry {
  const standings = { from: describeStanding(from), to: describeStanding(to) }
  return { kind, by, subject: rollout.key, ...standings, reason, ...(evidence !== undefined && { evidence }) }
}

function shownOf({ by, subject, reason }: AuditEntry) {
  return { by, subject, reason }
}

/** @param shared where the records of all replicas are; undefined while they share none */
export function createRecord(clock: Clock, life: Log['life'], shared: () => SharedRecords | undefined): Record {
  let opened: { readonly stateDir: string; readonly audit: Audit } | undefined
  let early: AuditEntry[] = []
  let revision: number | undefined

  function append(entry: AuditEntry): void {
    if (!opened) early.push(entry)
    // One that the disk refuses for now is written later, and told of then by nobody.
    else
      opened.audit.append(entry).then(
        (record) => shared()?.append(record),
        () => {},
      )
  }

  function note(entry: AuditEntry): void {
    tellMove(entry, life)
    append({ revision, ...entry })
  }

  const refusals = createRefusals({
    append(entry) {
      life.warn(shownOf(entry), 'refused')
      append({ revision, ...entry })
    },
    schedule: realSchedule,
  })

  return {
    open(stateDir) {
      if (opened) return
      const onTrouble = (trouble: string) => life.error({ reason: trouble }, 'the audit is not being written')
      opened = { stateDir, audit: createAudit({ stateDir, clock, writer: nameWriter(clock), onTrouble }) }
      for (const entry of early) append(entry)
      early = []
    },
    changed(change) {
      // It is in the audit of the replica that has decided it.
      if (change.isRemote) tellMove(entryOf(change), life, true)
      else note(entryOf(change))
    },
    accepted({ revision: accepted, hash, routes }) {
      revision = accepted
      append({ kind: 'reload', by: 'file', to: hash, revision, evidence: { routes: routes.length } })
    },
    turned(turn) {
      const { upstream, from, to, reason, isFleets } = turn
      const by = isFleets ? 'fleet' : 'breaker'
      tellTurn(turn, life)
      // Trials that fail are for the log: an outage of a weekend would fill the audit with them.
      if (to === 'closed' || from === 'closed')
        append({ kind: 'breaker', by, subject: upstream, from, to, reason, revision })
    },
    note,
    audit(entry, message) {
      life.info(shownOf(entry), message)
      append({ revision, ...entry })
    },
    refused: refusals.add,
    heads: async () => (opened ? readHeads(opened.stateDir) : []),
    async history(query) {
      const own = opened ? await readAudit(opened.stateDir, query) : []
      return mergeRecords(own, (await shared()?.read(query)) ?? [], query.limit)
    },
    async close() {
      refusals.flush()
      await opened?.audit.close()
    },
  }
}
