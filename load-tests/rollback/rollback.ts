// The rollback, from an empty machine to a verdict: a site in canary, a candidate that begins to fail, a crash, the books.
// The danger it guards against: believing that a guard works because it was never needed.
import { randomFrom } from '../../services/kit/prng.ts'
import { systemTicker as ticker } from '../arrivals.ts'
import { connectTo } from '../client.ts'
import { gatherEvidence, markLedgers } from '../evidence.ts'
import type { FaultPlan } from '../interposer.ts'
import { operatorsOf } from '../operators.ts'
import { readMove, readRoutes } from '../routes-file.ts'
import { type OwnSite, ownSite } from '../site.ts'
import { conclude } from './conclude.ts'
import { type Begun, type RollbackPlan, route } from './plan.ts'
import type { Report } from './report.ts'
import { restart } from './restart.ts'
import { canaryRoutes } from './routes.ts'
import { epochOf, runWithFault } from './run.ts'
import { inviteVisitors } from './visitors.ts'
import { warmUp } from './warm.ts'

/** Clients that give up early are what shows a candidate that hangs. The others wait until the old side, which gets twice the load, comes to it. */
const timeouts = { hang: 1_000, other: 20_000 }

/** Who is asked, beside the side that is not: both have a ledger. */
interface Fault extends FaultPlan {
  begin(): void
}

/**
 * @param signal ends the run early and in order: what is under way is waited for, what was started is stopped
 * @throws Error when there is nothing to be measured: the site does not start, is not well before the run, or `signal` came
 */
export async function rollback(plan: RollbackPlan, signal: AbortSignal): Promise<Report> {
  const startedAt = new Date()
  const runId = `rollback-${startedAt.getTime().toString(36)}-`
  const fault = faultOf(plan, runId)
  plan.say('starting the monolith, both services and the gateway')
  // The old side gets the same hop more as the candidate, or the guard would compare the hop.
  const between = { search: fault, monolith: { ...fault, isTurn: () => false } }
  const edit = (text: string) => canaryRoutes(text, plan)
  const site = await ownSite({ edit, logFile: plan.logFile, between })
  try {
    return await runAt(site, { ...plan, startedAt, runId, signal }, fault)
  } finally {
    await site.close()
  }
}

function faultOf({ fault, faultShare, seed }: RollbackPlan, runId: string): Fault {
  const random = randomFrom(seed + 2)
  let hasBegun = false
  return {
    kind: fault,
    isTurn: () => hasBegun && random() < faultShare,
    idPrefix: `${runId}r`,
    begin: () => {
      hasBegun = true
    },
  }
}

async function runAt(site: OwnSite, plan: Begun, fault: Fault): Promise<Report> {
  const { seed, runId, say, signal, ratePerSecond, seconds } = plan
  const timeoutMs = timeouts[plan.fault === 'hang' ? 'hang' : 'other']
  const client = connectTo(site.gateway, timeoutMs)
  const operators = operatorsOf(site.admin)
  try {
    const move = readMove(await readRoutes(site.configFile), route)
    say('learning what the answers must be')
    const inviting = { operators, move, random: randomFrom(seed + 1), tag: runId, requests: ratePerSecond * seconds }
    const visitors = await inviteVisitors(inviting)
    say('warming up')
    await warmUp({ client, visitors, idPrefix: `${runId}w`, signal })
    const { marks, services } = await markLedgers(operators, [move.from, move.to])
    signal.throwIfAborted()
    const epochBefore = epochOf(ticker)
    const going = { ...plan, ticker, client, mix: visitors, idPrefix: `${runId}r` }
    const run = await runWithFault({ ...going, operators, beginFault: fault.begin })
    signal.throwIfAborted()
    const epochs = { before: epochBefore, after: epochOf(ticker) }
    for (const interposer of site.interposers.values()) await interposer.settled()
    const evidence = await gatherEvidence(operators, marks, runId, ticker)
    const { rollback: decided } = await operators.standing(route)
    const { version } = await operators.status()
    const sides = { from: services.get(move.from) ?? move.from, to: services.get(move.to) ?? move.to }
    const crash = (moved: readonly string[]) =>
      decided && restart({ site, visitors, moved, decided, oldSide: sides.from, idPrefix: `${runId}s`, timeoutMs })
    const hits = site.interposers.get(move.to)?.hits ?? []
    const connections = client.connections()
    return await conclude({ plan, run, epochs, hits, evidence, decided, sides, version, connections, crash })
  } finally {
    client.close()
    operators.close()
  }
}
