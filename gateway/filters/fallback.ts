// The old side answers in place of the new one that cannot, before the client has seen a byte of an answer: a dead service is
// not noticed. Interim answers do not count: they promise nothing (RFC 9110 §15.2).
// The danger it guards against: a request that runs at both sides. Idempotence holds on one server, not across two: whatever the
// new side may have acted on goes to the old one only if it reads, or if the file lists its method.
import { type Static, Type } from 'typebox'
import { asFailure, Failure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { repeatable } from '../message/again.ts'
import type { Services } from '../model/ports.ts'
import type { Answer, Exchange, Move, Next } from '../model.ts'

const usualStatuses = [502, 503, 504]
/** They change nothing (RFC 9110 §9.2.1); TRACE would tell of another way than it came. */
const readingMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

const schema = Type.Union(
  [
    Type.Literal('none'),
    Type.Object(
      {
        on: Type.Optional(
          Type.Array(Type.Integer({ minimum: 400, maximum: 599, description: 'A status.' }), {
            description:
              'Statuses of `to` in place of which `from` answers; default [502, 503, 504]. It always does where `to` gives no valid answer.',
          }),
        ),
        methods: Type.Optional(
          Type.Array(
            Type.String({
              title: 'a method in upper case such as PUT',
              pattern: '^[A-Z][A-Z-]*$',
              description: 'A method in upper case.',
            }),
            {
              description:
                'Methods that may go to `from` although `to` may have acted on them, besides GET, HEAD and OPTIONS: they may then run twice.',
            },
          ),
        ),
      },
      { additionalProperties: false, description: 'When, and for which methods.' },
    ),
  ],
  {
    description:
      '`from` answers where `to` cannot: it refuses, resets, is too slow or gives no valid answer. So it is until final, unless this is `none`.',
  },
)

export const fallback = filterKind({
  name: 'fallback',
  sections: { fallback: { at: 'move', schema } },
  configure({ fallback }, { route, problem }) {
    const { move } = route
    if (!move || fallback === 'none') return undefined
    if (move.stage === 'final') {
      if (fallback) problem(['fallback'], '"final" has no way back to fall back to; remove "fallback", or stay in live')
      return undefined
    }
    const rules = rulesOf(fallback)
    const more = rules.methods.slice(readingMethods.length)
    const writes = more.length > 0 ? `, ${more.join(', ')} even after they may have run` : ''
    return {
      does: `lets ${move.from.name} answer where ${move.to.name} fails${rules.on.length > 0 ? ` or says ${rules.on.join(', ')}` : ''}${writes}`,
      bind: (services) => createFallback({ move, rules, services, keepBytes: route.keepBodyBytes }),
    }
  },
})

interface Rules {
  readonly on: readonly number[]
  readonly methods: readonly string[]
}

function rulesOf({ on = usualStatuses, methods = [] }: Exclude<Static<typeof schema>, 'none'> = {}): Rules {
  return { on, methods: [...new Set([...readingMethods, ...methods])] }
}

interface Binding {
  readonly move: Move
  readonly rules: Rules
  readonly services: Services
  readonly keepBytes: number
}

function createFallback({ move, rules, services, keepBytes }: Binding) {
  const { from, to, rollout } = move
  const { clock, rollouts } = services

  /** What keeps it from being the client's answer, in a word; undefined when it is. */
  function reasonOf(result: Answer | Failure): string | undefined {
    // Whatever an upstream, or the way to it, fails by is called so.
    if (result instanceof Failure) return result.code.startsWith('upstream') ? result.code : undefined
    const { status, by } = result
    return by === 'upstream' && rules.on.includes(status) ? String(status) : undefined
  }

  function mayMove({ method, deadlineAt = Number.POSITIVE_INFINITY }: Exchange, result: Answer | Failure): boolean {
    const isUnsent = result instanceof Failure && !result.mayHaveRun
    if (!isUnsent && !rules.methods.includes(method)) return false
    return clock.now() < deadlineAt && rollouts.standing(rollout).stage !== 'final'
  }

  return async function fallback(exchange: Exchange, next: Next): Promise<Answer> {
    // What goes on beside the client's own request is to show how the side fares that it is sent to.
    const isSoleAttempt = exchange.role !== 'primary' || exchange.hasStale === true
    if (isSoleAttempt || exchange.upstream.name !== to.name) return next(exchange)
    // HTTP/2 can say of a request whose body it has taken that it was not looked at (RFC 9113 §8.7).
    const mayBeUsed = rules.methods.includes(exchange.method) || to.protocol === 'h2'
    const again = repeatable(exchange, mayBeUsed ? keepBytes : 0)
    const result = await next(exchange).catch(asFailure)
    const reason = reasonOf(result)
    const repeated = reason !== undefined && mayMove(exchange, result) ? again() : undefined
    if (reason === undefined || !repeated) return answerOrThrow(result)
    if (!(result instanceof Failure)) result.discard()
    return instead({ ...repeated, upstream: from, role: 'fallback', yields: true }, next).then(
      (answer) => ({ ...answer, fallback: reason }),
      (thrown: unknown) => {
        throw Object.assign(asFailure(thrown), { fallback: reason })
      },
    )
  }
}

/** Asks the old side, if there is room for that now. */
async function instead(exchange: Exchange, next: Next): Promise<Answer> {
  const lacking = exchange.lacksFallback?.()
  if (lacking) throw lacking
  return next(exchange)
}

function answerOrThrow(result: Answer | Failure): Answer {
  if (result instanceof Failure) throw result
  return result
}
