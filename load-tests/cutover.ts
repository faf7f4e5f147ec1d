// The cutover, from an empty machine to a verdict: a site, what its answers must be, the run, the ledgers, the balance.
// The danger it guards against: believing that a move lost nothing because nothing was seen to be lost.
import { randomFrom } from '../services/kit/prng.ts'
import { getAcquainted } from './acquaint.ts'
import { systemTicker as ticker } from './arrivals.ts'
import { connectTo } from './client.ts'
import { conclude } from './conclude.ts'
import { gatherEvidence } from './evidence.ts'
import { everyNth } from './interposer.ts'
import { operatorsOf } from './operators.ts'
import type { Begun, CutoverPlan } from './plan.ts'
import type { Report } from './report.ts'
import { mixOf } from './requests.ts'
import { type Move, readMove, readRoutes, upstreamNames, withStage } from './routes-file.ts'
import { runUnderTraffic } from './run.ts'
import { givenSite, ownSite, type Site } from './site.ts'
import { measureThroughput, type Throughput } from './throughput.ts'

const route = 'search'
const faultEvery = 25
/** From sending to the last byte of the answer. */
const timeoutMs = 10_000

/**
 * @param signal ends the run early and in order: what is under way is waited for, what was changed is put back
 * @throws Error when there is nothing to be measured: the site does not start, is not well before the run, or `signal` came
 */
export async function cutover(plan: CutoverPlan, signal: AbortSignal): Promise<Report> {
  const startedAt = new Date()
  const runId = `cutover-${startedAt.getTime().toString(36)}-`
  const site = await openSite(plan, runId)
  try {
    return await runAt(site, { ...plan, startedAt, runId, signal })
  } finally {
    await site.close()
  }
}

function openSite({ given, fault, seed, logFile, say }: CutoverPlan, runId: string): Promise<Site> {
  if (given) return givenSite(given)
  say('starting the monolith, both services and the gateway')
  const isTurn = everyNth(faultEvery, randomFrom(seed + 2))
  const between = fault && { monolith: { kind: fault, isTurn, idPrefix: `${runId}r` } }
  return ownSite({ edit: (text) => withStage(text, route, 'legacy'), logFile, ...(between && { between }) })
}

async function runAt(site: Site, plan: Begun): Promise<Report> {
  const { seed, runId, say } = plan
  const client = connectTo(site.gateway, timeoutMs)
  const operators = operatorsOf(site.admin)
  try {
    const text = await readRoutes(site.configFile)
    const move = readLegacyMove(text)
    const throughput = await measure(site, plan)
    say('learning what the answers must be')
    const random = randomFrom(seed + 1)
    const learning = { operators, client, move, random, tag: runId, idPrefix: `${runId}p-` }
    const known = await getAcquainted({ ...learning, upstreams: upstreamNames(text) })
    plan.signal.throwIfAborted()
    const mix = mixOf(known.kinds, random)
    const moving = { configFile: site.configFile, route, operators, ticker }
    const run = await runUnderTraffic({ ...plan, ...moving, client, mix, idPrefix: `${runId}r` })
    plan.signal.throwIfAborted()
    for (const interposer of site.interposers.values()) await interposer.settled()
    const evidence = await gatherEvidence(operators, known.marks, runId, ticker)
    const { version } = await operators.status()
    return conclude({ site, plan, known, move, throughput, run, evidence, version, connections: client.connections() })
  } finally {
    client.close()
    operators.close()
  }
}

function readLegacyMove(text: string): Move {
  const move = readMove(text, route)
  if (move.stage === 'legacy') return move
  throw new Error(`route "${route}" stands at ${move.stage}; a cutover begins at legacy`)
}

/** Also warms everything up, so that the first third is not slow for being first. */
async function measure(site: Site, { throughputSeconds, say }: Begun): Promise<readonly Throughput[]> {
  if (throughputSeconds === 0) return []
  say(`measuring throughput with autocannon for ${throughputSeconds} s`)
  return [await measureThroughput(`${site.gateway}/api/shipments/7`, throughputSeconds)]
}
