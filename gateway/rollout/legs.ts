// Which second request belongs to a client's own, if any does, and what of the client goes with it.
// The dangers it guards against: a write that is made twice, and a leg that passes for the client's own request because a client
// has talked us out of the fields that mark it.
import { type Names, namesOf, withMore, without } from '../message/fields.ts'
import { endToEnd } from '../message/hopByHop.ts'
import type { Leg, Rollouts } from '../model/ports.ts'
import type { CompareSettings, Exchange, LegKind, Move, Next } from '../model.ts'
import { bucketOf } from './bucket.ts'
import { identityOf } from './identity.ts'

export interface LegRules {
  readonly move: Move
  readonly settings: CompareSettings
  /** Fields that must not reach the candidate, in lower case. */
  readonly strip: readonly string[]
  /** Where the candidate says that it suppresses effects; absent: writes are not made twice. */
  readonly probe?: string
}

/** What marks a leg. A candidate may take it for an order to change nothing, so it is ours to say. */
export const legMarks = ['shadow', 'banyan-role']
/** And its body is whole: nobody is asked whether to send it (RFC 9110 §10.1.1). */
const ours = [...legMarks, 'expect']

export function createLegs({ move, settings, strip, probe }: LegRules, rollouts: Rollouts) {
  const { from, to, rollout } = move
  const droppedAlways = namesOf(ours)
  const droppedForCandidate = namesOf([...ours, ...strip])
  const hasJar = !strip.includes('cookie')

  function kindOf(exchange: Exchange, identity: string): LegKind | undefined {
    const { stage } = rollouts.standing(rollout)
    const draw = bucketOf(rollouts.splitKey(), `compare ${rollout.key}`, identity)
    const isOld = exchange.upstream === from
    if (stage === 'live') return !isOld && draw < settings.reverseBasisPoints ? 'reverse' : undefined
    if (!isOld || (stage !== 'shadow' && stage !== 'canary')) return undefined
    if (draw < settings.noiseBasisPoints) return 'noise'
    return draw < settings.noiseBasisPoints + settings.sampleBasisPoints ? 'shadow' : undefined
  }

  return function legOf(exchange: Exchange, next: Next): Leg | undefined {
    if (!isRepeatable(exchange, probe !== undefined)) return undefined
    const known = rollout.stickyBy && identityOf(exchange, rollout.stickyBy)
    const kind = kindOf(exchange, known ?? exchange.client.address)
    if (kind === 'shadow') return candidateLeg(exchange, next, known)
    // The old side acts on what it is sent: a write goes there once, if at all.
    if (kind === undefined || !isSafeMethod(exchange)) return undefined
    return { kind, settings, exchange: besides(exchange, from, kind, droppedAlways), next }
  }

  function candidateLeg(exchange: Exchange, next: Next, known: string | undefined): Leg {
    const isWrite = !isSafeMethod(exchange) && probe !== undefined
    return {
      kind: 'shadow',
      settings,
      exchange: besides(exchange, to, 'shadow', droppedForCandidate),
      next,
      ...(isWrite && { write: { body: exchange.body, probe } }),
      // Strangers have no session that could be mixed up, and would mix up each other's.
      ...(hasJar && known !== undefined && { jar: `${rollout.key} ${known}` }),
      ...(rollout.loginCookie !== undefined && { loginCookie: rollout.loginCookie }),
    }
  }
}

function isSafeMethod({ method }: Exchange): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Of an unsafe method only those that mean the same at any server (RFC 9110 §9.3); the rest is told apart by nothing. */
const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Whole, and not about what the client has stored already: the other side's validators and ranges are others. */
function isRepeatable(exchange: Exchange, mayWrite: boolean): boolean {
  const { method, body, upgrade, fields, role } = exchange
  if (role !== 'primary' || upgrade !== undefined || conditions.some((name) => fields.has(name))) return false
  return isSafeMethod(exchange) ? body === undefined : mayWrite && writes.has(method)
}

const conditions = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']

/** What ends at this hop is taken off first: `Connection: shadow` would take our own field off later (RFC 9110 §7.6.1). */
function besides(exchange: Exchange, upstream: Exchange['upstream'], kind: LegKind, dropped: Names): Exchange {
  const { connection: _own, ...client } = exchange.client
  const fields = withMore(without(endToEnd(exchange.fields), dropped), ['Shadow', '?1', 'Banyan-Role', kind])
  const role = kind === 'noise' ? 'noise' : 'shadow'
  return { ...exchange, upstream, role, client, fields, body: undefined, inform: () => {} }
}
