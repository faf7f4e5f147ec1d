// Asks the other side on behalf of a leg, and the candidate whether it may be sent writes at all.
// The danger it guards against: an answer without end, of whatever kind: a body, interim answers, or none; and a write that reaches
// a candidate which has not said that it suppresses what it would do.
import { asFailure } from '../errors.ts'
import { authorityOf } from '../message/authority.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Kept } from '../message/keep.ts'
import { keepAnswer } from '../message/tap.ts'
import type { Answer, Clock, Exchange, Next } from '../model.ts'
import type { LegTime } from './legTime.ts'

export const mostBodyBytes = 256 * 1024
/** A sound server sends one or two (RFC 9110 §15.2). */
const mostInterim = 20

export interface Other {
  readonly answer: Answer
  readonly kept: Kept
}

/** Why there is no answer. `full`: no connection was free. `refused`: it is left alone now; it was not asked. */
export type NoAnswer = 'timedOut' | 'unanswered' | 'full' | 'refused'

/** The other side's answer, within the leg's time. */
export async function askOther(exchange: Exchange, next: Next, time: LegTime, clock: Clock): Promise<Other | NoAnswer> {
  if (time.isOver) return 'timedOut'
  let interim = 0
  const leaving: (() => void)[] = []
  const leave = () => {
    for (const listener of leaving.splice(0)) listener()
  }
  time.onOver(leave)
  const asked: Exchange = {
    ...exchange,
    onGone: (listener) => (time.isOver ? listener() : void leaving.push(listener)),
    inform() {
      interim += 1
      if (interim > mostInterim) leave()
    },
  }
  try {
    const answer = await next(asked)
    const kept = await keepAnswer(answer, mostBodyBytes, clock.now)
    if (time.isOver) return 'timedOut'
    return kept === undefined ? 'unanswered' : { answer, kept }
  } catch (thrown) {
    if (time.isOver) return 'timedOut'
    const { code, blame } = asFailure(thrown)
    if (code === 'upstreamOpen') return 'refused'
    return blame === 'gateway' ? 'full' : 'unanswered'
  }
}

const provenForMs = 60_000

export interface Capabilities {
  /** Whether each target of the candidate that this leg goes to has said within the last minute, at that path, that it suppresses effects. */
  isSafe(leg: Exchange, probe: string, time: LegTime): Promise<boolean>
  /** It must say so again. */
  forget(leg: Exchange): void
}

/** @param forward asks the `target` of its upstream, without a Route's filters: no rewrite, no Outcome */
export function createCapabilities(forward: Next, clock: Clock): Capabilities {
  const known = new Map<string, { readonly at: number; readonly isSafe: Promise<boolean> }>()

  async function probe(leg: Exchange, path: string, time: LegTime): Promise<boolean> {
    const { target } = leg.upstream
    // Nothing of the client's: it is we who ask.
    const fields = fieldsOf([
      'Host',
      authorityOf(target),
      'Shadow',
      '?1',
      'Banyan-Role',
      'probe',
      'X-Request-Id',
      leg.id,
    ])
    const asked: Exchange = { ...leg, method: 'GET', target: path, path, fields, body: undefined, trailers: undefined }
    const other = await askOther(asked, forward, time, clock)
    if (typeof other === 'string') return false
    const { status, fields: answered } = other.answer
    const words = answered.all('shadow-safe')
    return status >= 200 && status < 300 && words.length === 1 && words[0]?.trim() === '?1'
  }

  /** Any of them may be sent the write. */
  async function probeAll(leg: Exchange, path: string, time: LegTime): Promise<boolean> {
    const { upstream } = leg
    const legs = upstream.targets.map((target) => ({ ...leg, upstream: { ...upstream, target } }))
    const areSafe = await Promise.all(legs.map((one) => probe(one, path, time)))
    return areSafe.every((isSafe) => isSafe)
  }

  return {
    async isSafe(leg, path, time) {
      const key = `${placesOf(leg)} ${path}`
      const last = known.get(key)
      if (last && clock.now() - last.at < provenForMs) return last.isSafe
      const isSafe = probeAll(leg, path, time)
      known.set(key, { at: clock.now(), isSafe })
      return isSafe
    },
    forget(leg) {
      for (const key of known.keys()) if (key.startsWith(`${placesOf(leg)} `)) known.delete(key)
    },
  }
}

function placesOf({ upstream }: Exchange): string {
  return upstream.targets.map(({ origin }) => origin).join()
}
