// Before the run: learns what each kind of request must be answered, and sends one of each to see that all is well now.
// The danger it guards against: a run that blames the move for what was broken before it.
import type { Client } from './client.ts'
import { type Marks, markLedgers } from './evidence.ts'
import { learnDocuments } from './kinds/documents.ts'
import { learnPages } from './kinds/pages.ts'
import { learnSearches } from './kinds/search.ts'
import { learnShipments } from './kinds/shipments.ts'
import type { Acquaintance, Kind } from './requests.ts'
import { judge } from './traffic.ts'

export interface AcquaintPlan extends Acquaintance {
  /** All sides that have a ledger. */
  readonly upstreams: readonly string[]
  /** Every id of these first requests begins so. */
  readonly idPrefix: string
}

export interface Known {
  readonly kinds: readonly Kind[]
  /** By the kind of a request that does not move: the side that it belongs to. */
  readonly owners: ReadonlyMap<string, string>
  readonly marks: Marks
  /** What each upstream calls itself in ledgers and in X-Served-By. */
  readonly services: ReadonlyMap<string, string>
}

/** @throws Error saying what is not as it must be, before anything was moved. */
export async function getAcquainted(plan: AcquaintPlan): Promise<Known> {
  // Shipments first: they write one, so that a search which would find what the run writes shows itself at once.
  const shipments = await learnShipments(plan)
  const kinds = [...shipments, ...(await learnDocuments(plan)), ...(await learnPages(plan))]
  const sent = new Map<string, string>()
  for (const kind of kinds) sent.set(...(await sendOne(plan.client, kind, plan.idPrefix)))
  const searches = await learnSearches(plan)
  for (const kind of searches) sent.set(...(await sendOne(plan.client, kind, plan.idPrefix)))
  const { marks, entries, services } = await markLedgers(plan.operators, plan.upstreams)
  const owners = new Map<string, string>()
  for (const { id, service } of entries) {
    const kind = sent.get(id)
    if (kind !== undefined) owners.set(kind, service)
  }
  const unknown = [...sent.values()].find((kind) => !owners.has(kind))
  if (unknown !== undefined) throw new Error(`before the run: no ledger has the "${unknown}" that was answered`)
  return { kinds: [...kinds, ...searches], owners, marks, services }
}

/** @returns its id, and the kind of the request that it really was */
async function sendOne(client: Client, kind: Kind, idPrefix: string): Promise<[id: string, kind: string]> {
  const request = kind.next()
  const id = `${idPrefix}${kind.name}`
  const reply = await client.send({ ...request.ask, fields: { ...request.ask.fields, 'X-Request-Id': id } })
  const { outcome, status, why } = judge(request, reply)
  if (outcome !== 'ok') throw new Error(`before the run: ${kind.name}: ${outcome}, status ${status}: ${why ?? ''}`)
  request.onRight?.(reply)
  return [id, request.kind]
}
