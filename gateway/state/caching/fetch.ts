// Asks the upstream for a client and puts into stock what may lie there, while it goes to that client.
// The danger it guards against: what was overtaken by a write, or is for one alone, and is given to the next.
import { Readable } from 'node:stream'
import { type Refusal, refusalOfHead, refusalToStore } from '../../caching/mayStore.ts'
import { policyOf, type Times } from '../../caching/policy.ts'
import { isNotModified } from '../../caching/preconditions.ts'
import { notModified } from '../../caching/reply.ts'
import { storedHeadOf, storedOf } from '../../caching/stored.ts'
import { freshen, hasValidator } from '../../caching/validation.ts'
import { asFailure, type Failure } from '../../errors.ts'
import { fieldsOf } from '../../message/fields.ts'
import type { Answer } from '../../model.ts'
import { asking, finish, isFailing } from './asking.ts'
import { FillBody, own } from './fillBody.ts'
import { type Fetching, type FetchParts, Filler, putInto } from './filling.ts'
import { answerFrom, answerWith, apartKey, type Found, type Inquiry, telling } from './inquiry.ts'
import type { Moment } from './stock.ts'

interface Asked extends Times {
  readonly since: Moment
}

export class Fetcher {
  readonly #parts: FetchParts
  readonly #filler: Filler

  constructor(parts: FetchParts) {
    this.#parts = parts
    this.#filler = new Filler(parts)
  }

  /** Calls `land` once it is known what others may have. */
  async fetch(fetching: Fetching): Promise<Answer> {
    try {
      return await this.#ask(fetching)
    } catch (thrown) {
      const failure = asFailure(thrown)
      fetching.land({ how: 'failed', failure })
      return this.insteadOf(failure, fetching)
    }
  }

  /** What may be given although it is stale, now that the upstream fails (RFC 5861 §4). */
  insteadOf(failure: Failure, { inquiry, found }: Pick<Fetching, 'inquiry' | 'found'>): Answer {
    if (!found?.isForErrors || failure.blame === 'client') throw failure
    return this.stale(inquiry, found)
  }

  stale(inquiry: Inquiry, { stored, ttlMs }: Found): Answer {
    this.#parts.count(inquiry, 'stale')
    return answerFrom(stored, { hit: true, ttlMs }, inquiry, this.#parts.clock)
  }

  async #ask(fetching: Fetching): Promise<Answer> {
    const { inquiry, found, land } = fetching
    const { clock, stock } = this.#parts
    const since = stock.now()
    const requestedAtMs = clock.wall()
    const answer = await inquiry.next(asking(inquiry, found))
    const asked = { requestedAtMs, receivedAtMs: clock.wall(), since }
    if (found?.isForErrors && isFailing(answer)) {
      answer.discard()
      land({ how: 'erred' })
      return this.stale(inquiry, found)
    }
    const isConfirmed = answer.status === 304 && found !== undefined && hasValidator(found.stored)
    return isConfirmed ? this.#confirm({ ...fetching, found }, answer, asked) : this.#take(fetching, answer, asked)
  }

  /** The upstream says that what lies in stock still holds (RFC 9111 §4.3.4). */
  async #confirm(fetching: Fetching & { found: Found }, answer: Answer, { since, ...times }: Asked): Promise<Answer> {
    const { inquiry, found, land, told } = fetching
    const { exchange, audience, place, rules } = inquiry
    const { clock, stock, count } = this.#parts
    finish(answer, clock.now)
    const isIts = answer.upstream === exchange.upstream.name
    const fresh = isIts ? freshen(found.stored, answer.fields, times) : undefined
    // It is about something else: then all of it is asked for.
    if (!fresh) return this.#ask({ ...fetching, found: undefined })
    // What a 304 says that was asked for with credentials is as little for others as any answer (RFC 9111 §3.5).
    const isSomebodys = audience.isKnown && !fresh.policy.isForAll
    const isKept = !isSomebodys && refusalOfHead(fresh, rules) === undefined
    if (isKept) await putInto(this.#parts, inquiry, fresh, { since })
    else await stock.drop(place.key)
    land(isKept ? { how: 'stored', stored: fresh } : { how: 'alone' })
    count(inquiry, 'revalidated')
    return withCookiesOf(answer, answerFrom(fresh, { ...told, fwdStatus: 304, isStored: isKept }, inquiry, clock))
  }

  async #take(fetching: Fetching, answer: Answer, { since, ...times }: Asked): Promise<Answer> {
    const { exchange, audience, wishes, rules } = fetching.inquiry
    const upstream = exchange.upstream.name
    const head = storedHeadOf({ answer, asked: exchange.fields, upstream, isAnybodys: !audience.isKnown, ...times })
    const refusal = refusalToStore({ method: exchange.method, wishes, upstream }, answer, head, rules)
    if (refusal !== undefined || !head || this.#filler.isTooMuch(answer)) {
      await this.#leave(fetching, answer, refusal)
      return this.#given(fetching, answer, times, false)
    }
    const { body } = answer
    if (body instanceof Readable) {
      return this.#given(fetching, this.#filler.fill(fetching, answer, { body, head, since }), times, true)
    }
    const stored = storedOf(head, own(body ?? Buffer.alloc(0)))
    await putInto(this.#parts, fetching.inquiry, stored, { since })
    fetching.land({ how: 'stored', stored })
    return this.#given(fetching, answer, times, true)
  }

  /** It is for this client alone; and so, it seems, will be the next. */
  async #leave({ inquiry, found, land }: Fetching, answer: Answer, refusal: Refusal | undefined): Promise<void> {
    land({ how: 'alone' })
    if (answer.status >= 500 || isOfTheRequest(refusal)) return
    this.#parts.apart.add(apartKey(inquiry))
    if (found) await this.#parts.stock.drop(inquiry.place.key)
  }

  /** The conditions of the client were taken off his request: they are answered here (RFC 9111 §4.3.2). */
  #given({ inquiry, told }: Fetching, answer: Answer, times: Times, isStored: boolean): Answer {
    this.#parts.count(inquiry, 'miss')
    const { exchange, rules } = inquiry
    const { status, fields } = answer
    const said = { ...told, isStored }
    const isKnown = isNotModified(exchange.fields, { status, fields, policy: policyOf(fields, times) })
    if (!isKnown) return telling(answer, said, inquiry)
    const { now } = this.#parts.clock
    if (answer.body instanceof FillBody) answer.body.destroy()
    else finish(answer, now)
    const made = { by: 'upstream', upstream: answer.upstream } as const
    return answerWith(notModified(fields), made, rules.saysStatus ? said : undefined, now)
  }
}

/** That says nothing of the next one. */
function isOfTheRequest(refusal: Refusal | undefined): boolean {
  return refusal === 'method' || refusal === 'requestNoStore' || refusal === 'notFromUpstream'
}

/** What a 304 sets is for this client alone. */
function withCookiesOf({ fields }: Answer, given: Answer): Answer {
  const cookies = fields.all('set-cookie').flatMap((value) => ['Set-Cookie', value])
  return cookies.length === 0 ? given : { ...given, fields: fieldsOf([...given.fields.raw, ...cookies]) }
}
