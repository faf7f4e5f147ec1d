// Puts the gateway's own secret where the client's credentials would be, for an Upstream that knows the gateway and no client.
// The dangers it guards against: a client's token that reaches somebody else's service, a rotation that anybody notices, and a
// client that names our field in `Connection`, so that it would end here (RFC 9110 §7.6.1).
import { Failure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { repeatable } from '../message/again.ts'
import { withField } from '../message/fields.ts'
import { endToEnd } from '../message/hopByHop.ts'
import type { Secrets } from '../model/ports.ts'
import type { Answer, Exchange, Next, SecretSettings } from '../model.ts'

export const secret = filterKind({
  name: 'secret',
  sections: {},
  configure(_settings, { route: { upstream, move, keepBodyBytes } }) {
    const known = [...new Set(move ? [move.from, move.to] : [upstream])].filter(({ secret }) => secret)
    if (known.length === 0) return undefined
    return {
      does: `proves itself to ${known.map(({ name }) => name).join(' and ')} with a secret of its own`,
      bind: ({ secrets }) =>
        async function secret(exchange, next) {
          const { secret } = exchange.upstream
          return secret ? proven(exchange, next, { secrets, secret, keepBodyBytes }) : next(exchange)
        },
    }
  },
})

interface Proving {
  readonly secrets: Secrets
  readonly secret: SecretSettings
  readonly keepBodyBytes: number
}

async function proven(exchange: Exchange, next: Next, { secrets, secret, keepBodyBytes }: Proving): Promise<Answer> {
  const { name } = exchange.upstream
  const [first, other] = secrets.of(secret)
  if (first === undefined) throw new Failure('secretMissing', `there is no secret for ${name} to be had`)
  const told = (asked: Exchange, value: string) => ({
    ...asked,
    fields: withField(endToEnd(asked.fields), secret.field, value),
  })
  if (other === undefined || exchange.upgrade !== undefined) return next(told(exchange, first))
  const again = repeatable(exchange, keepBodyBytes)
  const answer = await next(told(exchange, first))
  const repeated = answer.status === 401 ? again() : undefined
  if (!repeated) return answer
  answer.discard()
  // Who is not known has had nothing done for him: any method may come again (RFC 9110 §15.5.2).
  const second = await next({ ...told(repeated, other), role: exchange.role === 'primary' ? 'retry' : exchange.role })
  if (second.status !== 401) secrets.taken(secret, other)
  return second
}
