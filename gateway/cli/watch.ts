// banyan status --watch: every rollout in one line, refreshed each second.
// The danger it guards against: a table that stands still because its gateway is away, and looks like calm.
import { setTimeout as wait } from 'node:timers/promises'
import type { RolloutView } from '../ops/rolloutView.ts'
import type { SideTraffic } from '../state/traffic.ts'
import { type Ask, type Telling, Unreachable } from './askAdmin.ts'
import { standingText } from './order.ts'
import { table } from './table.ts'

const everyMs = 1_000
/** Cursor home, and all that is below it gone (ECMA-48 CUP and ED). */
const clear = '\x1b[H\x1b[J'

/** Until the process is ended. */
export async function watch(ask: Ask, { given, world }: Telling): Promise<never> {
  for (;;) {
    const frame = await frameOf(ask, given.isJson)
    world.print(`${world.isTerminal && !given.isJson ? clear : ''}${frame}`)
    await wait(everyMs)
  }
}

async function frameOf(ask: Ask, isJson: boolean): Promise<string> {
  try {
    const answered = await ask.get<{ readonly rollouts: readonly RolloutView[] }>('/rollouts')
    if (isJson) return JSON.stringify(answered.body)
    return answered.ok ? textOf(answered.body.rollouts) : answered.body.title
  } catch (thrown) {
    if (!(thrown instanceof Unreachable)) throw thrown
    return isJson ? JSON.stringify({ unreachable: thrown.message }) : thrown.message
  }
}

const heads = [
  'ROLLOUT',
  'FILE',
  'SERVED',
  'WHY',
  'REQ/S OLD',
  'NEW',
  'ERRORS OLD',
  'NEW',
  'P95 OLD',
  'NEW',
  'MISMATCH',
  'VERDICT',
]

function textOf(rollouts: readonly RolloutView[]): string {
  const rows = rollouts.map((view) => {
    const { declared, effective, traffic, compared, verdict } = view
    const sides = [traffic.old, traffic.new]
    return [
      nameOf(view),
      standingText(declared),
      standingText(effective),
      effective.why,
      ...sides.map(({ perSecond }) => String(perSecond)),
      ...sides.map(({ errorShare }) => percentText(errorShare)),
      ...sides.map(p95Text),
      compared ? percentText(compared.compared > 0 ? compared.mismatched / compared.compared : undefined) : '-',
      verdict ? [verdict.result, ...verdict.reasons].join(': ') : '-',
    ]
  })
  return `${new Date().toISOString()}  traffic of the last minute\n\n${table([heads, ...rows])}`
}

/** As the file calls it now; its state, and its history, are under the name that it began with. */
function nameOf({ key, of, routes }: RolloutView): string {
  const name = routes[0]?.name ?? key
  return of === 'group' || name === key ? key : `${name} (was ${key})`
}

function percentText(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.round(share * 1000) / 10}%`
}

function p95Text({ p95Ms }: SideTraffic): string {
  return p95Ms === undefined ? '-' : `${Math.round(p95Ms)} ms`
}
