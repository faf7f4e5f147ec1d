// Gateways of one fleet: each with a stateDir of its own, between the same two sides, with one Redis.
import { expect, onTestFinished } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { type RedisServer, startRedis } from '../redis/server.ts'
import { ask, newStateDir, type Sides, session, startBetween, startSides } from './sides.ts'

export interface Replica extends TestGateway {
  readonly stateDir: string
}

export interface Fleet {
  readonly redis: RedisServer
  readonly sides: Sides
  readonly yaml: string
  readonly replicas: readonly Replica[]
  /** One more, or one again in the stateDir of an earlier one. */
  join(stateDir?: string, yaml?: string): Promise<Replica>
}

/** @param routes of the file; the rest of it is the fleet's */
export async function startFleet(size: number, routes: string): Promise<Fleet> {
  const sides = await startSides()
  onTestFinished(sides.close)
  const redis = await startRedis()
  onTestFinished(redis.stop)
  const yaml = `${sides.yaml}store: { state: "${redis.url}" }\nreplicas: ${size}\n${routes}`
  const one = async (stateDir?: string, text = yaml): Promise<Replica> => {
    const folder = stateDir ?? (await newStateDir())
    return { ...(await startBetween(text, folder)), stateDir: folder }
  }
  const replicas: Replica[] = []
  for (let i = 0; i < size; i++) replicas.push(await one())
  return { redis, sides, yaml, replicas, join: one }
}

/** Who answers that client at each of them. */
export function sidesOf(replicas: readonly Replica[], path: string, client = 'anybody'): Promise<string[]> {
  return Promise.all(replicas.map(async (replica) => (await ask(replica, path, { fields: session(client) })).side))
}

/** Asks until each of them answers from that side. @returns how long it took in milliseconds; fails after a minute */
export async function allAnswerFrom(side: string, replicas: readonly Replica[], path: string): Promise<number> {
  const startedAt = performance.now()
  for (;;) {
    const answered = await sidesOf(replicas, path)
    const tookMs = performance.now() - startedAt
    if (answered.every((one) => one === side)) return tookMs
    if (tookMs > 60_000) expect(answered).toEqual(replicas.map(() => side))
  }
}

export interface Ordered {
  readonly status: number
  readonly body: Record<string, unknown>
}

export async function order({ adminUrl }: TestGateway, place: string, body: object = {}): Promise<Ordered> {
  const response = await fetch(`${adminUrl}/${place}`, {
    method: 'POST',
    headers: { 'Banyan-Admin': 'cli:ann', 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

export async function read<T>({ adminUrl }: TestGateway, place: string): Promise<T> {
  return (await (await fetch(`${adminUrl}/${place}`)).json()) as T
}

/** The line in which a replica says that its store is up, or down. */
export function storeLine(replica: TestGateway, is: 'up' | 'down', nth = 0): Promise<unknown> {
  const seen = new Set<unknown>()
  return replica.line((line) => {
    if (line.store !== is) return false
    seen.add(line.time)
    return seen.size > nth
  })
}
