// What an operator sees through the gateway's admin listener: which stage serves, what each side has in its ledger, and
// what a side answers when it is asked past all routes.
// The danger it guards against: evidence with holes. A ledger that has forgotten lines must not pass for one that has none.
import { type Client, connectTo, type Reply } from './client.ts'
import type { Entry } from './ledger.ts'

export interface Status {
  readonly version: string
  readonly revision: number
  /** Of the file's bytes (routes-file.ts: hashOf). */
  readonly hash: string
  /** Why the newest file was refused. */
  readonly refused?: string | undefined
  /** Route name to stage. */
  readonly stages: ReadonlyMap<string, string>
}

/** Where a route's move stands for requests, and what the gateway makes of it. */
export interface Standing {
  readonly stage: string
  /** `file`, `rollback` … */
  readonly why: string
  readonly verdict?: { readonly result: string; readonly reasons: readonly string[] } | undefined
  readonly rollback?: Decided | undefined
}

/** Who decided what, when (milliseconds since the epoch, by the gateway's clock) and why. */
export interface Decided {
  readonly by: string
  readonly at: number
  readonly reason: string
}

export interface Ledger {
  /** What the side calls itself, there and in X-Served-By. */
  readonly service: string
  readonly entries: readonly Entry[]
  /** The seq of the last line; where to go on. */
  readonly last: number
  /** Lines after the mark that the side has already forgotten. */
  readonly forgotten: number
}

export interface Operators {
  status(): Promise<Status>
  standing(route: string): Promise<Standing>
  /** The rollbacks of that route in the audit, the oldest first. */
  rollbacks(route: string): Promise<readonly Decided[]>
  /** GET of a side itself, whatever routes.yaml says. */
  ask(upstream: string, target: string): Promise<Reply>
  /** All lines after that seq. */
  readLedger(upstream: string, after: number): Promise<Ledger>
  close(): void
}

const pageSize = 5000
const answerWithinMs = 10_000

/** @param admin the admin listener, scheme://host:port */
export function operatorsOf(admin: string): Operators {
  const client = connectTo(admin, answerWithinMs)
  const ask = (upstream: string, target: string) =>
    client.send({ method: 'GET', target: `/upstreams/${upstream}${target}` })
  return {
    status: () => readStatus(client),
    standing: (route) => readStanding(client, route),
    rollbacks: (route) => readRollbacks(client, route),
    ask,
    readLedger: (upstream, after) => readPages(upstream, after, (target) => ask(upstream, target)),
    close: client.close,
  }
}

type Told = Omit<Status, 'stages'> & { readonly routes: readonly { name: string; stage?: string }[] }

async function readStatus(client: Client): Promise<Status> {
  const told = (await jsonOf(client.send({ method: 'GET', target: '/status' }), 'the gateway’s status')) as Told
  const { version, revision, hash, refused, routes } = told
  return { version, revision, hash, refused, stages: new Map(routes.map(({ name, stage }) => [name, stage ?? ''])) }
}

interface ToldDecision {
  readonly by: string
  /** ISO 8601. */
  readonly at: string
  readonly reason?: string
}

interface ToldRollout {
  readonly effective: { readonly stage: string; readonly why: string }
  readonly verdict?: { readonly result: string; readonly reasons: readonly string[] }
  readonly overrides: { readonly rollback?: ToldDecision }
}

async function readStanding(client: Client, route: string): Promise<Standing> {
  const sending = client.send({ method: 'GET', target: `/rollouts/${route}` })
  const { effective, verdict, overrides } = (await jsonOf(sending, `the rollout of ${route}`)) as ToldRollout
  const { stage, why } = effective
  return { stage, why, verdict, rollback: overrides.rollback && decidedOf(overrides.rollback) }
}

async function readRollbacks(client: Client, route: string): Promise<readonly Decided[]> {
  const sending = client.send({ method: 'GET', target: `/history?rollout=${route}` })
  const { records } = (await jsonOf(sending, 'the history')) as {
    readonly records: readonly (ToldDecision & { readonly kind: string })[]
  }
  return records.filter(({ kind }) => kind === 'rollback').map(decidedOf)
}

function decidedOf({ by, at, reason = '' }: ToldDecision): Decided {
  return { by, at: Date.parse(at), reason }
}

interface Page {
  readonly service: string
  readonly entries: readonly Omit<Entry, 'service'>[]
}

async function readPages(upstream: string, after: number, get: (target: string) => Promise<Reply>): Promise<Ledger> {
  const entries: Entry[] = []
  let last = after
  let forgotten = 0
  for (;;) {
    const target = `/_ops/ledger?after=${last}&limit=${pageSize}`
    const page = (await jsonOf(get(target), `the ledger of "${upstream}"`)) as Page
    for (const { seq, id, state, role } of page.entries) {
      // Numbers without a gap are what makes "no ledger has it" a proof.
      forgotten += seq - last - 1
      last = seq
      entries.push({ service: page.service, seq, id, state, ...(role !== undefined && { role }) })
    }
    if (page.entries.length < pageSize) return { service: page.service, entries, last, forgotten }
  }
}

async function jsonOf(sending: Promise<Reply>, what: string): Promise<unknown> {
  const reply = await sending
  if (reply.ending !== 'whole' || reply.status !== 200) {
    const how = reply.ending === 'whole' ? `status ${reply.status}` : `${reply.ending} ${reply.cause ?? ''}`
    throw new Error(`cannot read ${what}: ${how.trim()}`)
  }
  return JSON.parse(reply.body.toString('utf8'))
}
