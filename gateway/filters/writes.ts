// Remembers which Upstream took the write of a client, where a move asks for it (`readYourWrites`): split then sends that
// client's reads there. The danger it guards against: an order that was placed on one side and is missing on the other.
import { asFailure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import type { Services } from '../model/ports.ts'
import type { Exchange, RolloutDeclaration } from '../model.ts'
import { identityOf } from '../rollout/identity.ts'
import { isSafe, isWriteTo } from '../rollout/writes.ts'

export const writes = filterKind({
  name: 'writes',
  sections: {},
  configure(_settings, { route }) {
    const { rememberedBy = [], match } = route
    if (rememberedBy.length === 0 || match.methods?.every(isSafe)) return undefined
    return {
      does: `remembers who writes, for the reads of ${rememberedBy.map(({ key }) => key).join(', ')}`,
      bind: (services) =>
        async function writes(exchange, next) {
          if (isSafe(exchange.method)) return next(exchange)
          const remember = (upstream: string) => note(exchange, upstream, { rememberedBy, services })
          try {
            const answer = await next(exchange)
            // Before the client sees of it: his next request may come at once.
            if (answer.status < 400) await remember(answer.upstream ?? exchange.upstream.name)
            return answer
          } catch (thrown) {
            const { mayHaveRun, upstream } = asFailure(thrown)
            if (mayHaveRun) await remember(upstream ?? exchange.upstream.name)
            throw thrown
          }
        },
    }
  },
})

interface Noting {
  readonly rememberedBy: readonly RolloutDeclaration[]
  readonly services: Services
}

async function note(exchange: Exchange, upstream: string, { rememberedBy, services }: Noting): Promise<void> {
  for (const rollout of rememberedBy) {
    const { stickyBy, readYourWrites } = rollout
    if (!stickyBy || !readYourWrites || !isWriteTo(readYourWrites.after, exchange)) continue
    const identity = identityOf(exchange, stickyBy)
    if (identity !== undefined) await services.writes.took({ rollout, identity }, upstream)
  }
}
