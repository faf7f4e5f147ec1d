// The run itself: what is good when it begins, traffic through the gateway and round it, and in it cycle after cycle of rotations.
// The danger it guards against: rotations between two loads instead of under one.
import { setTimeout as pause } from 'node:timers/promises'
import { randomFrom } from '../../services/kit/prng.ts'
import { clockToleranceMs } from '../../services/kit/verifier.ts'
import { systemTicker as ticker } from '../arrivals.ts'
import { type Client, connectTo } from '../client.ts'
import { spreadOf } from '../percentiles.ts'
import { mixOf } from '../requests.ts'
import type { Traffic } from '../traffic.ts'
import { type Going, underTraffic, until } from '../underTraffic.ts'
import { makeIssuerKey } from './issuer.ts'
import { bare, roundGateway, throughGateway } from './kinds.ts'
import { keyOrdersAt } from './orders.ts'
import { cycleSeconds, type RotationPlan } from './plan.ts'
import { createPurse } from './purse.ts'
import { equip, makeSecret, type Rotating, rotateAll, rotationNames, type State } from './rotations.ts'
import { type RotationSite, startRotationSite } from './site.ts'
import { tallyOf } from './tally.ts'
import type { Facts } from './verdict.ts'

const timeoutMs = 30_000
const overlapMs = 2_000
/** Between two steps of a rotation. */
const pauseMs = 500
const captureEveryMs = 200
/** Short, to see tokens end within the run, and long enough for a request that waits for a busy machine. */
const longestLifeSeconds = 5

export interface Measured extends Facts {
  readonly latencyMs: ReturnType<typeof spreadOf>
  readonly connections: number
}

interface Scene {
  readonly plan: RotationPlan
  readonly signal: AbortSignal
  readonly clients: readonly [gateway: Client, service: Client]
  readonly rotating: Rotating
}

/** @throws Error when something does not start, or `signal` came before the traffic */
export async function runRotations(plan: RotationPlan, signal: AbortSignal): Promise<Measured> {
  const [peppers, secrets] = [[makeSecret()], [makeSecret()]]
  const internalLifeSeconds = Math.min(longestLifeSeconds, Math.floor(plan.seconds / 4))
  const site = await startRotationSite({ overlapMs, internalLifeSeconds, peppers, secrets })
  const clients = [connectTo(site.gateway, timeoutMs), connectTo(site.service, timeoutMs)] as const
  try {
    const purse = createPurse(Date.now)
    const done = Object.fromEntries(rotationNames.map((name) => [name, 0])) as State['done']
    const issuerKey = await makeIssuerKey(makeSecret())
    const state: State = { keys: new Map(), issuerKey, tokens: [], peppers, secrets, done }
    const orders = keyOrdersAt(site.admin)
    const rotating = { site, orders, purse, state, wall: Date.now, pause: () => pause(pauseMs) }
    await equip(rotating)
    await sendOne(clients[0], site)
    signal.throwIfAborted()
    return await measure({ plan, signal, clients, rotating })
  } finally {
    for (const client of clients) client.close()
    await site.close()
  }
}

async function measure(scene: Scene): Promise<Measured> {
  const { rotating, clients } = scene
  const { site, purse, state } = rotating
  const internalBefore = site.countOf(newSigner)
  const wallOffset = Date.now() - ticker.now()
  let cycle = 0
  const { traffic, result } = await underTraffic(goingOf(scene, 'through'), {
    stageNow: () => `cycle ${cycle}`,
    act: (startAt) =>
      underTraffic(goingOf(scene, 'round'), {
        stageNow: () => '',
        act: () => rotateUntilEnd(scene, startAt, (begun) => (cycle = begun)),
      }),
  })
  const records = [...traffic.records, ...result.traffic.records]
  const credentialOf = (id: string) => (id === bare.id ? bare : purse.get(id))
  return {
    requests: records.length,
    unsent: traffic.unsent + result.traffic.unsent,
    lagP99Ms: spreadOf([...traffic.lagsMs, ...result.traffic.lagsMs])?.p99 ?? 0,
    tally: tallyOf(records, credentialOf, (at) => at + wallOffset),
    rotations: { ...state.done, internalKeys: site.countOf(newSigner) - internalBefore },
    unfinished: result.result,
    latencyMs: spreadOf(answeredMs(traffic)),
    connections: clients[0].connections() + clients[1].connections(),
  }
}

const newSigner = 'another key signs what upstreams are told of clients'

function goingOf({ plan, signal, clients, rotating }: Scene, way: 'through' | 'round'): Going {
  const isRound = way === 'round'
  const random = randomFrom(plan.seed + (isRound ? 1 : 2))
  const kinds = (isRound ? roundGateway : throughGateway)(rotating.purse, random)
  return {
    ...plan,
    ratePerSecond: plan.ratePerSecond / (isRound ? 10 : 1),
    seed: plan.seed + (isRound ? 3 : 4),
    mix: mixOf(kinds, random),
    client: clients[isRound ? 1 : 0],
    idPrefix: `rotate-${way}-${plan.seed}-`,
    say: isRound ? () => {} : plan.say,
    ticker,
    signal,
  }
}

/** @returns why one did not come to its end */
async function rotateUntilEnd(
  { plan, signal, rotating }: Scene,
  startAt: number,
  begin: (cycle: number) => void,
): Promise<string | undefined> {
  const endAt = startAt + plan.seconds * 1_000
  const capturing = setInterval(() => void capture(rotating), captureEveryMs)
  try {
    const cycles = Math.max(1, Math.floor(plan.seconds / cycleSeconds))
    for (let cycle = 1; cycle <= cycles && !signal.aborted; cycle += 1) {
      begin(cycle)
      await rotateAll(rotating)
      await until(startAt + (cycle * plan.seconds * 1_000) / cycles, { ticker, signal })
    }
    await until(endAt, { ticker, signal })
    return signal.aborted ? 'interrupted' : undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearInterval(capturing)
  }
}

/** What the gateway says of a client to the vault, shown to the service by somebody else. */
async function capture({ site, purse }: Rotating): Promise<void> {
  const token = await site.lastInternalToken().catch(() => '')
  const isKnown = [...purse.good('internal'), ...purse.ended('internal')].some(
    ({ fields }) => fields['Banyan-Token'] === token,
  )
  if (token === '' || isKnown) return
  const [, claims = ''] = token.split('.')
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly exp: number }
  const goodUntil = exp * 1_000
  const end = { how: 'expired internal token', goodUntil, badFrom: goodUntil + clockToleranceMs }
  purse.add('internal', { 'Banyan-Token': token }, end)
}

/** The way through must be open before anything is counted. */
async function sendOne(client: Client, site: RotationSite): Promise<void> {
  const { status, ending } = await client.send({ method: 'GET', target: '/vault/first' })
  if (status !== 200) throw new Error(`before the run: the vault was answered ${status} (${ending})`)
  if ((await site.lastInternalToken()) === '') throw new Error('before the run: the vault was told nothing of clients')
}

function answeredMs({ records }: Traffic): readonly number[] {
  const answered = records.filter(({ outcome }) => outcome === 'ok')
  return answered.map(({ scheduledAt, endedAt }) => endedAt - scheduledAt)
}
