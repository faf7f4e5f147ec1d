// Sends a request to the same Upstream again where that may help: off unless the file asks for it.
// The dangers it guards against: a request that is not idempotent and runs twice, and an outage that is multiplied.
import { Type } from 'typebox'
import { afterRun, asFailure, Failure, type FailureCode } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { repeatable } from '../message/again.ts'
import type { Answer, Attempts, Exchange, Next } from '../model.ts'

/** What a second attempt may not meet. A full queue, an open breaker and a wrong certificate it would. */
const passing = [
  'upstreamUnresolved',
  'upstreamRefused',
  'upstreamConnectTimeout',
  'upstreamReset',
  'upstreamMalformed',
  'upstreamFirstByteTimeout',
  'upstreamIdleTimeout',
] as const satisfies readonly FailureCode[]

const usual: readonly (string | number)[] = [
  'upstreamUnresolved',
  'upstreamRefused',
  'upstreamConnectTimeout',
  'upstreamReset',
] satisfies FailureCode[]

const schema = Type.Object(
  {
    attempts: Type.Integer({
      minimum: 1,
      maximum: 5,
      default: 1,
      description: 'How often a request is sent again at most.',
    }),
    on: Type.Array(
      Type.Union(
        [
          Type.Enum([...passing], { description: 'A failure.' }),
          Type.Integer({ minimum: 400, maximum: 599, description: 'A status.' }),
        ],
        { title: `a status from 400 to 599, or one of ${passing.join(', ')}` },
      ),
      { default: usual, description: 'Failures and statuses after which it is; no status unless it is listed.' },
    ),
  },
  {
    additionalProperties: false,
    description:
      'Sends a request to the same upstream again, with a pause of up to 250ms: one that may have run only if its method is idempotent. At most a fifth of the requests under way, or three.',
  },
)

/** RFC 9110 §9.2.2. */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

export const retry = filterKind({
  name: 'retry',
  sections: { retry: { at: 'route', schema } },
  configure({ retry: settings }, { route }) {
    if (!settings) return undefined
    const { attempts, on } = settings
    return {
      does: `asks again, ${attempts === 1 ? 'once' : `${attempts} times`} at most, after ${on.join(', ')}`,
      bind: ({ retries }) =>
        async function retry(exchange, next) {
          // What goes on beside the client's own request, or in its place, is asked once.
          if (exchange.role !== 'primary' || exchange.hasStale || exchange.upgrade !== undefined) return next(exchange)
          const entered = retries.enter(exchange.upstream.name)
          try {
            const answer = await repeat(exchange, next, { attempts, on, entered, keepBytes: route.keepBodyBytes })
            answer.onEnd(entered.leave)
            return answer
          } catch (thrown) {
            entered.leave()
            throw thrown
          }
        },
    }
  },
})

interface Repeating {
  readonly attempts: number
  readonly on: readonly (string | number)[]
  readonly entered: Attempts
  readonly keepBytes: number
}

async function repeat(exchange: Exchange, next: Next, repeating: Repeating): Promise<Answer> {
  const { attempts, on, entered, keepBytes } = repeating
  const isIdempotent = idempotentMethods.has(exchange.method)
  // HTTP/2 can say of a request whose body it has taken that it was not looked at (RFC 9113 §8.7).
  const again = repeatable(exchange, isIdempotent || exchange.upstream.protocol === 'h2' ? keepBytes : 0)
  const mayRepeat = (result: Answer | Failure, nth: number) => nth <= attempts && on.includes(wordOf(result))
  let mayHaveRun = false
  let asked = exchange
  for (let nth = 1; ; nth += 1) {
    const result = await next(asked).catch(asFailure)
    mayHaveRun ||= !(result instanceof Failure) || result.mayHaveRun
    const repeated = mayRepeat(result, nth) && (isIdempotent || !mayHaveRun) ? again() : undefined
    const pause = repeated && entered.again(nth, exchange.deadlineAt)
    if (!repeated || !pause) return answerOrThrow(result, mayHaveRun)
    if (!(result instanceof Failure)) result.discard()
    await pause
    asked = { ...repeated, role: 'retry', tried: withTried(asked, result) }
  }
}

/** Whoever failed is asked again last, if there are others. */
function withTried({ tried = [] }: Exchange, { target }: Answer | Failure): readonly string[] {
  return target === undefined ? tried : [...tried, target]
}

/** What the file calls it by. */
function wordOf(result: Answer | Failure): string | number {
  return result instanceof Failure ? result.code : result.status
}

function answerOrThrow(result: Answer | Failure, mayHaveRun: boolean): Answer {
  if (result instanceof Failure) throw mayHaveRun ? afterRun(result) : result
  return result
}
