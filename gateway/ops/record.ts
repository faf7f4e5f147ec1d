// Who moved what, when and why, told twice: a line of the log for whoever watches, a record of the audit for whoever asks later.
// The danger it guards against: a move that only shows in what clients say of it.
import type { Clock, Snapshot } from '../model.ts'
import { describeStanding } from '../rollout/standing.ts'
import { type Audit, createAudit, nameWriter } from '../state/audit.ts'
import { type AuditQuery, readAudit } from '../state/auditRead.ts'
import type { AuditEntry, AuditRecord } from '../state/auditRecord.ts'
import type { RolloutChange } from '../state/rolloutBook.ts'
import type { Log } from './log.ts'

export interface Record {
  /** Once; what comes before it is recorded as soon as it is called. */
  open(stateDir: string): void
  changed(change: RolloutChange): void
  /** A file was accepted, at the start or later. */
  accepted(snapshot: Snapshot): void
  /** An alarm, or something that an operator looked at. */
  note(entry: AuditEntry): void
  /** Rejects when stateDir cannot be read. */
  history(query: AuditQuery): Promise<readonly AuditRecord[]>
  close(): Promise<void>
}

/** What an operator should hear of at once. */
const loud: ReadonlySet<string> = new Set(['rollback', 'breakGlass', 'alarm'])

export function createRecord(clock: Clock, life: Log['life']): Record {
  let opened: { readonly stateDir: string; readonly audit: Audit } | undefined
  let early: AuditEntry[] = []
  let revision: number | undefined

  function append(entry: AuditEntry): void {
    if (opened) void opened.audit.append(entry)
    else early.push(entry)
  }

  function note(entry: AuditEntry): void {
    const { kind, subject, by, from, to, reason } = entry
    const message = `rollout ${kind}`
    if (loud.has(kind)) life.warn({ rollout: subject, by, from, to, reason }, message)
    else life.info({ rollout: subject, by, from, to, reason }, message)
    append({ revision, ...entry })
  }

  return {
    open(stateDir) {
      if (opened) return
      const onTrouble = (trouble: string) => life.error({ reason: trouble }, 'the audit is not being written')
      opened = { stateDir, audit: createAudit({ stateDir, clock, writer: nameWriter(clock), onTrouble }) }
      for (const entry of early) append(entry)
      early = []
    },
    changed({ kind, rollout, from, to, by, reason, evidence }) {
      const standings = { from: describeStanding(from), to: describeStanding(to) }
      note({ kind, by, subject: rollout.key, ...standings, reason, ...(evidence !== undefined && { evidence }) })
    },
    accepted({ revision: accepted, hash, routes }) {
      revision = accepted
      append({ kind: 'reload', by: 'file', to: hash, revision, evidence: { routes: routes.length } })
    },
    note,
    history: async (query) => (opened ? readAudit(opened.stateDir, query) : []),
    close: async () => opened?.audit.close(),
  }
}
