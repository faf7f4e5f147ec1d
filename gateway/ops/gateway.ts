// The port through which the operators' listeners see the running gateway. main.ts gives it to them.
// The danger it guards against: an operator's page that reaches into the data path and holds or changes it.
import type { Reading } from '../config/read.ts'
import type { Balance, Clock, Problem, Snapshot, Upstream, UpstreamLoad } from '../model.ts'
import type { AuditQuery } from '../state/auditRead.ts'
import type { AuditRecord } from '../state/auditRecord.ts'
import type { BreakerView } from '../state/breakers.ts'
import type { CacheBook } from '../state/caches.ts'
import type { RouteComparisons } from '../state/comparisonRecord.ts'
import type { LimitCounts } from '../state/limits/counts.ts'
import type { PressureView } from '../state/pressure.ts'
import type { RolloutBook } from '../state/rolloutBook.ts'
import type { Sharing } from '../state/sharing.ts'
import type { Watch } from '../state/targets/watch.ts'
import type { Traffic } from '../state/traffic.ts'
import type { Health } from './health.ts'
import type { KeyDesk } from './keyDesk.ts'
import type { Metrics } from './metrics.ts'
import type { Record } from './record.ts'

/** What one reading of routes.yaml came to. */
export interface ReloadResult {
  readonly accepted: boolean
  /** The revision that serves now; undefined when none does. */
  readonly revision?: number | undefined
  /** Errors when it was refused, and the warnings of either. */
  readonly problems: readonly Problem[]
}

/** What is known of how a candidate does. */
export interface Verdict {
  readonly result: 'pass' | 'fail' | 'inconclusive' | 'alarm'
  /** Sentences; empty for a pass. */
  readonly reasons: readonly string[]
  /** What it was compared with. */
  readonly control: string
  /** Milliseconds since the epoch. */
  readonly checkedAt: number
}

export interface Compared {
  readonly compared: number
  readonly mismatched: number
}

/** What speaks for a move, by the key of its rollout. Undefined: nothing is known, which is never a pass. */
export interface Evidence {
  verdictOf(key: string): Verdict | undefined
  /** Of answers compared since the rollout came to stand where it does. */
  comparedOf(key: string): Compared | undefined
}

/** A text of routes.yaml, read: what a reload would make of it, and what it says in plain values. */
export type Read = Reading & { readonly value: unknown }

/** What operators may know of the running gateway, and what they may do to it. */
export interface Gateway {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly rollouts: RolloutBook
  readonly traffic: Traffic
  /** What operators do is recorded there. */
  readonly record: Pick<Record, 'audit' | 'refused' | 'heads'>
  readonly evidence: Evidence
  /** Undefined before the first Snapshot. */
  snapshot(): Snapshot | undefined
  /** The text that the Snapshot was read from; undefined when stateDir does not have it. */
  servedText(): Promise<string | undefined>
  /** Reads a text as a reload would; nothing is served from it. */
  read(text: string): Promise<Read>
  /** Of the audit, the oldest first. Rejects when stateDir cannot be read. */
  history(query: AuditQuery): Promise<readonly AuditRecord[]>
  /** What that Route's comparisons have come to; undefined before the first. */
  comparisonsOf(route: string): RouteComparisons | undefined
  /** The Problems of the newest file when it was refused; none once a file is accepted. */
  problems(): readonly Problem[]
  /** Remedies for what the running gateway noticed (a private proxy that is not trusted), as sentences. */
  hints(): readonly string[]
  readonly sharing: Pick<Sharing, 'view' | 'unconfirmed'>
  readonly keys: KeyDesk
  readonly caches: Pick<CacheBook, 'purge' | 'counts' | 'purges' | 'near' | 'far'>
  /** Of the Upstreams that have one. */
  breakers(): readonly BreakerView[]
  loadOf(upstream: Upstream): UpstreamLoad
  /** How what is under way there is spread over its targets. */
  balanceOf(upstream: Upstream): Balance
  /** What is known of its targets, and what it is given at a time. */
  watchOf(upstream: Upstream): Watch
  pressure(): PressureView
  /** Of the Routes that have one. */
  limits(): LimitCounts
  isDraining(): boolean
  /** The keys by which what the gateway says of clients is checked: a JWK Set (RFC 7517 §5). */
  published(): object
  reload(): Promise<ReloadResult>
}

/** What the admin listener is given. */
export interface AdminPorts {
  readonly gateway: Gateway
  readonly health: Health
  readonly metrics: Metrics
  readonly clock: Clock
}
