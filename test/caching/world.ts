// Answers and requests in a line each, for the tables about caching.
import { type Judgement, judge } from '../../gateway/caching/freshness.ts'
import { type Refusal, refusalToStore } from '../../gateway/caching/mayStore.ts'
import { type Stored, storedHeadOf, storedOf } from '../../gateway/caching/stored.ts'
import { wishesOf } from '../../gateway/caching/wishes.ts'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Answer, CacheRules, Fields } from '../../gateway/model.ts'

/** A whole second, as in a Date. */
export const epoch = Date.UTC(2026, 10, 21, 12, 0, 0)
export const date = (seconds: number) => new Date(epoch + seconds * 1000).toUTCString()

export const silent: CacheRules = { negativeMs: new Map(), isPerIdentity: false, saysStatus: false }

/** `Name: value` in each line. */
export function fields(...lines: string[]): Fields {
  return fieldsOf(
    lines.flatMap((line) => {
      const [, name = '', value = ''] = /^([^:]+):[ ]*(.*)$/.exec(line) ?? []
      return [name, value]
    }),
  )
}

export interface Given {
  readonly status?: number
  /** Of the answer. */
  readonly answered?: readonly string[]
  /** Of the request that it was made for. */
  readonly asked?: readonly string[]
  readonly body?: string
  readonly isAnybodys?: boolean
  readonly delayMs?: number
}

export function answer({ status = 200, answered = [], body = 'body' }: Given): Answer {
  const parts = { status, reason: 'OK', fields: fields(...answered), body: Buffer.from(body), by: 'upstream' as const }
  return answerOf({ ...parts, upstream: 'monolith' }, () => 0)
}

export function stored(given: Given = {}): Stored {
  const { asked = [], body = 'body', isAnybodys = true, delayMs = 0 } = given
  const times = { requestedAtMs: epoch - delayMs, receivedAtMs: epoch }
  const head = storedHeadOf({
    answer: answer(given),
    asked: fields(...asked),
    upstream: 'monolith',
    isAnybodys,
    ...times,
  })
  if (!head) throw new Error('it fits no request')
  return storedOf(head, Buffer.from(body))
}

/** What becomes of a stored answer so many seconds after it came. */
export function judged(
  given: Given,
  seconds: number,
  how: { rules?: Partial<CacheRules>; asked?: readonly string[] } = {},
): Judgement {
  const { rules = {}, asked = [] } = how
  const wishes = wishesOf(fields(...asked))
  return judge({ stored: stored(given), wishes, rules: { ...silent, ...rules }, nowMs: epoch + seconds * 1000 })
}

export function refused(
  given: Given & { readonly method?: string; readonly by?: Partial<Answer> },
  rules: Partial<CacheRules> = {},
): Refusal | undefined {
  const { method = 'GET', asked = [], isAnybodys = true, by = {} } = given
  const made = { ...answer(given), ...by }
  const times = { requestedAtMs: epoch, receivedAtMs: epoch }
  const head = storedHeadOf({ answer: made, asked: fields(...asked), upstream: 'monolith', isAnybodys, ...times })
  const request = { method, wishes: wishesOf(fields(...asked)), upstream: 'monolith' }
  return refusalToStore(request, made, head, { ...silent, ...rules })
}
