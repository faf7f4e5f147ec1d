// One client's request as the cache sees it: whose it is, where its answer would lie, what the client would take.
// The danger it guards against: two places that judge the same request differently.
import { type Audience, audienceOf } from '../../caching/audience.ts'
import { type Told, withCacheStatus } from '../../caching/cacheStatus.ts'
import { type Judgement, judge } from '../../caching/freshness.ts'
import { type Place, placeOf } from '../../caching/place.ts'
import { type Reply, replyFrom } from '../../caching/reply.ts'
import type { Stored } from '../../caching/stored.ts'
import { everything, namedTag, pathTag, routeTag, type Tag, uriTag } from '../../caching/tags.ts'
import { type Wishes, wishesOf } from '../../caching/wishes.ts'
import { answerOf } from '../../message/answer.ts'
import type { Answer, CacheRules, Clock, Exchange, Next } from '../../model.ts'

export interface Inquiry {
  readonly exchange: Exchange
  readonly next: Next
  readonly rules: CacheRules
  readonly audience: Audience
  readonly place: Place
  readonly wishes: Wishes
}

/** What lies in stock for a request, and what may be done with it. */
export interface Found extends Judgement {
  readonly stored: Stored
}

/** @returns undefined for a request whose answer would lie nowhere */
export function inquiryOf(exchange: Exchange, next: Next, rules: CacheRules): Inquiry | undefined {
  const audience = audienceOf(exchange, rules)
  const place = placeOf(exchange, audience, rules)
  return place && { exchange, next, rules, audience, place, wishes: wishesOf(exchange.fields) }
}

export function foundFor({ wishes, rules }: Inquiry, stored: Stored, nowMs: number): Found {
  return { ...judge({ stored, wishes, rules, nowMs }), stored }
}

/** What the client gets of a stored answer. */
export function answerFrom(stored: Stored, told: Told, { exchange, rules }: Inquiry, clock: Clock): Answer {
  const reply = replyFrom(stored, exchange, clock.wall())
  return answerWith(reply, { by: 'cache', upstream: stored.upstream }, rules.saysStatus ? told : undefined, clock.now)
}

export function answerWith(
  { status, reason, fields, body }: Reply,
  made: Pick<Answer, 'by' | 'upstream'>,
  told: Told | undefined,
  now: () => number,
): Answer {
  return answerOf({ status, reason, fields: told ? withCacheStatus(fields, told) : fields, body, ...made }, now)
}

/** The same answer, telling what the cache did. */
export function telling(answer: Answer, told: Told, { rules }: Inquiry): Answer {
  return rules.saysStatus ? { ...answer, fields: withCacheStatus(answer.fields, told) } : answer
}

/** By which its answer is purged, whatever that is. */
export function tagsOf({ exchange, place, rules }: Inquiry): readonly Tag[] {
  const own = [everything, routeTag(exchange.route.name), pathTag(exchange.path), uriTag(place.uri)]
  return rules.tags ? [...own, ...rules.tags.map(namedTag)] : own
}

/** Who has credentials and who has none may fare differently under the same key. */
export function apartKey({ place, audience }: Inquiry): string {
  return `${audience.isKnown ? 'known' : 'any'}\n${place.key}`
}
