// Sends each request of a move to the side that its client belongs to: the share is exact, sticky, and only ever grows or
// shrinks at its edge. The danger it guards against: a client who is on the new side now and on the old one a moment later.
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { asFailure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { setCookieName } from '../message/cookies.ts'
import { fieldsOf, namesOf, sameName, without } from '../message/fields.ts'
import { withOwnCookie } from '../message/ownCookie.ts'
import type { Services, Writer } from '../model/ports.ts'
import type { Answer, Effective, Exchange, Fields, Move, Next, Side } from '../model.ts'
import { bucketOf } from '../rollout/bucket.ts'
import { affinityCookie, identityOf } from '../rollout/identity.ts'
import { legMarks } from '../rollout/legs.ts'
import { describeStanding, wholeShare } from '../rollout/standing.ts'
import { chosenSide } from '../rollout/testers.ts'
import { isSafe } from '../rollout/writes.ts'

export const split = filterKind({
  name: 'split',
  sections: {},
  configure(_settings, { route }) {
    const { move } = route
    if (!move) return undefined
    const { from, to, rollout } = move
    const { loginCookie } = rollout
    return {
      does: `sends it to ${from.name} or ${to.name}: ${describeStanding(rollout.declared)} as declared`,
      bind(services) {
        const { sideOf, hasWritten, lookUp } = chooser(move, services)
        const hold = holder(move, sideOf, services)
        const isGiven = rollout.stickyBy?.by === 'affinity'
        const dropped = (cookies: number) => services.comparisons.loginDropped(route.name, cookies)
        const keepLogin = loginKeeper(loginCookie, dropped)
        const ofNew = (given: Answer, exchange: Exchange) => {
          const held = hold(given, exchange)
          return given.fallback === undefined ? withFields(held, keepLogin(held.fields)) : held
        }
        const toOld = (exchange: Exchange, { why }: Effective) => {
          // Until it went back, the old side had been relieved of it: its own traffic goes first.
          const yields = why === 'rollback'
          return from === exchange.upstream && !yields ? exchange : { ...exchange, upstream: from, yields }
        }
        const send = async (exchange: Exchange, next: Next, takenBy?: string) => {
          const standing = services.rollouts.standing(rollout)
          const isNew = sideOf(exchange, standing, takenBy) === 'new'
          const asked = isNew ? { ...asOwn(exchange, keepLogin), upstream: to } : toOld(exchange, standing)
          const isPastStock = hasWritten(exchange, standing, takenBy)
          const given = await next(isPastStock ? { ...asked, isPastStock } : asked).catch(failedAt(standing))
          const isStranger = isGiven && identityOf(exchange, { by: 'affinity' }) === undefined
          const kept = isNew ? ofNew(given, exchange) : given
          return { ...(isStranger ? withAffinity(kept, exchange) : kept), standing }
        }
        return function split(exchange, next) {
          const asked = lookUp(exchange)
          return asked ? asked.then((takenBy) => send(exchange, next, takenBy)) : send(exchange, next)
        }
      },
    }
  },
})

interface Chooser {
  /** @param takenBy the name of the Upstream that took this client's last write, by what other replicas know */
  sideOf(exchange: Exchange, standing: Effective, takenBy?: string): Side
  /** Whether it is a read of who has just written. */
  hasWritten(exchange: Exchange, standing: Effective, takenBy?: string): boolean
  /** Asks for it. Undefined when nobody needs to be asked. */
  lookUp(exchange: Exchange): ReturnType<Services['writes']['lookUp']>
}

function chooser({ from, to, rollout }: Move, { rollouts, writes, clock }: Services): Chooser {
  const { key, testers, stickyBy, readYourWrites } = rollout
  const identify = (exchange: Exchange) => stickyBy && identityOf(exchange, stickyBy)

  function testedSide(exchange: Exchange, standing: Effective): Side | undefined {
    return testers && isOpenToTesters(standing) ? chosenSide(exchange.fields, testers, key, clock.wall()) : undefined
  }

  /** Whose reads go where his writes went. */
  function writerOf(exchange: Exchange, { stage }: Effective): Writer | undefined {
    // Elsewhere one side answers all.
    const isBetween = stage === 'canary' || stage === 'live'
    const identity = readYourWrites && isBetween && isSafe(exchange.method) ? identify(exchange) : undefined
    return identity === undefined ? undefined : { rollout, identity }
  }

  function writtenSide(exchange: Exchange, standing: Effective, takenBy?: string): Side | undefined {
    const writer = writerOf(exchange, standing)
    const upstream = writer && (writes.takenBy(writer) ?? takenBy)
    if (upstream === to.name) return 'new'
    return upstream === from.name ? 'old' : undefined
  }

  function dueSide(exchange: Exchange, { stage, shareBasisPoints }: Effective): Side {
    if (shareBasisPoints === 0) return 'old'
    if (shareBasisPoints === wholeShare && stage !== 'canary') return 'new'
    const identity = identify(exchange)
    // Who cannot be told from others is in no share, not even in a whole one; live is for all but the holdback.
    if (identity === undefined) return stage === 'live' ? 'new' : 'old'
    return bucketOf(rollouts.splitKey(), key, identity) < shareBasisPoints ? 'new' : 'old'
  }

  return {
    sideOf(exchange, standing, takenBy) {
      return testedSide(exchange, standing) ?? writtenSide(exchange, standing, takenBy) ?? dueSide(exchange, standing)
    },
    hasWritten: (exchange, standing, takenBy) =>
      readYourWrites !== undefined && writtenSide(exchange, standing, takenBy) !== undefined,
    lookUp(exchange) {
      const writer = readYourWrites && writerOf(exchange, rollouts.standing(rollout))
      return writer && writes.lookUp(writer)
    },
  }
}

/** The failure too says where the move stood: whoever looks for it in the log wants to know. */
function failedAt(standing: Effective) {
  return (thrown: unknown): never => {
    throw Object.assign(asFailure(thrown), { standing })
  }
}

/** What lasts of the new side is ended when its client is sent to the old one. */
function holder({ to, rollout }: Move, sideOf: Chooser['sideOf'], { streams, rollouts }: Services) {
  return function hold(answer: Answer, exchange: Exchange): Answer {
    if (answer.upstream !== to.name || !(answer.tunnel || answer.body instanceof Readable)) return answer
    const isAbandoned = () => sideOf(exchange, rollouts.standing(rollout)) === 'old'
    return streams.hold({ answer, rollout, receivedAt: exchange.receivedAt, isAbandoned })
  }
}

/** What a rollback or the broken glass has closed is closed to testers too. */
function isOpenToTesters({ stage, why }: Effective): boolean {
  return stage !== 'final' && why !== 'rollback' && why !== 'breakGlass' && why !== 'stateUnknown'
}

const marks = namesOf(legMarks)

/**
 * As the new side is asked on behalf of a client: a client that marked its own request as a leg would have whatever it does
 * left undone, counted failures of a login too. Who is trusted may be another gateway, and the leg its own. And user agents may
 * heed cookies of interim answers (RFC 6265 §3).
 */
function asOwn(exchange: Exchange, keepLogin: (fields: Fields) => Fields): Exchange {
  const { fields, client } = exchange
  const inform: Exchange['inform'] = (status, told) => exchange.inform(status, keepLogin(told))
  if (!legMarks.some((name) => fields.has(name)) || client.peerTrusted) return { ...exchange, inform }
  return { ...exchange, inform, fields: without(fields, marks) }
}

/** Takes off the session that the candidate would put in place of the monolith's: nobody is logged out by a try. */
function loginKeeper(loginCookie: string | undefined, dropped: (cookies: number) => void): (fields: Fields) => Fields {
  return loginCookie === undefined ? (fields) => fields : (fields) => withoutLogin(fields, loginCookie, dropped)
}

function withFields(answer: Answer, fields: Fields): Answer {
  return fields === answer.fields ? answer : { ...answer, fields }
}

function withoutLogin(fields: Fields, loginCookie: string, dropped: (cookies: number) => void): Fields {
  if (!fields.has('set-cookie')) return fields
  const raw: string[] = []
  for (let i = 0; i < fields.raw.length; i += 2) {
    const [name = '', value = ''] = fields.raw.slice(i, i + 2)
    if (!sameName(name, 'set-cookie') || setCookieName(value) !== loginCookie) raw.push(name, value)
  }
  const cookies = (fields.raw.length - raw.length) / 2
  if (cookies === 0) return fields
  dropped(cookies)
  return fieldsOf(raw)
}

const oneYearSeconds = 31_536_000

/** With a cookie by which its client will be known from the next request on. */
function withAffinity(answer: Answer, { client }: Exchange): Answer {
  const value = randomBytes(16).toString('base64url')
  return withOwnCookie(answer, `${affinityCookie}=${value}; Path=/; Max-Age=${oneYearSeconds}`, client)
}
