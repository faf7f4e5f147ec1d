// Whether an answer may be stored (RFC 9111 §3), by one list of reasons why not.
// The danger it guards against: what was meant for one and is given to another.
import type { Answer, CacheRules } from '../model.ts'
import { lifetimeMs } from './freshness.ts'
import { etagOf } from './preconditions.ts'
import type { StoredHead } from './stored.ts'
import { mostNames, namesOfAnswer } from './tags.ts'
import type { Wishes } from './wishes.ts'

export interface Asked {
  readonly method: string
  readonly wishes: Wishes
  /** The name of the Upstream that it was sent to. */
  readonly upstream: string
}

export type Refusal =
  | 'method'
  | 'requestNoStore'
  | 'notFromUpstream'
  | 'status'
  | 'endless'
  | 'cookie'
  | 'forbidden'
  | 'variesByAll'
  | 'somebodys'
  | 'tags'
  | 'useless'

/** Why it is not stored, the first reason that holds; undefined when it may be. @param head undefined when it fits no other request */
export function refusalToStore(
  asked: Asked,
  answer: Answer,
  head: StoredHead | undefined,
  rules: CacheRules,
): Refusal | undefined {
  if (asked.method !== 'GET') return 'method'
  if (asked.wishes.noStore) return 'requestNoStore'
  // One that a fallback has made is another side's.
  if (answer.by !== 'upstream' || answer.upstream !== asked.upstream) return 'notFromUpstream'
  if (!isStorableStatus(answer.status, rules)) return 'status'
  if (answer.tunnel || isEndless(answer)) return 'endless'
  if (answer.fields.has('set-cookie')) return 'cookie'
  if (!head) return 'variesByAll'
  return refusalOfHead(head, rules)
}

/** Why a head may not lie in stock, also after a 304 has changed it. */
export function refusalOfHead(head: StoredHead, rules: CacheRules): Refusal | undefined {
  const { policy } = head
  if (policy.forbidsStoring || (policy.mustUnderstand && !understood.has(head.status))) return 'forbidden'
  if (!head.isAnybodys && !policy.isForAll) return 'somebodys'
  if (namesOfAnswer(head.fields).length > mostNames) return 'tags'
  return isUseful(head, rules) ? undefined : 'useless'
}

/** What is neither fresh for a moment nor can be asked after would never be given to anybody. */
function isUseful(head: StoredHead, rules: CacheRules): boolean {
  const { lastModifiedMs, staleWhileRevalidateMs = 0 } = head.policy
  const canBeAskedAfter = etagOf(head.fields) !== undefined || lastModifiedMs !== undefined
  return canBeAskedAfter || staleWhileRevalidateMs > 0 || lifetimeMs(head, rules) > 0
}

/** Statuses whose meaning for a cache we know (RFC 9110 §15). */
const understood = new Set([200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501])

/** No parts (§3.3: we do not combine them), no 304; no failure of the server unless the route asks: it would outlast its cause. */
function isStorableStatus(status: number, { negativeMs }: CacheRules): boolean {
  if (status < 200 || status === 206 || status === 304) return false
  return status < 500 || negativeMs.has(status)
}

/** Streams of events and of pictures have no end that could be waited for. */
function isEndless({ fields }: Answer): boolean {
  return /^(?:text\/event-stream|multipart\/x-mixed-replace)\b/i.test(fields.get('content-type') ?? '')
}
