// Refuses what is least urgent while the gateway cannot keep up: first what goes to an old side in place of a new one, then
// requests that may change something, safe reads last. Off unless the file says from when on.
// The danger it guards against: a gateway that takes on everything, and answers nothing in time.
import { Duration, durationMs } from '../config/schema.ts'
import { Failure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import type { Exchange, Priority } from '../model.ts'
import { isSafe } from '../rollout/writes.ts'

/** From which multiple of `shedAt` on. */
const times: Readonly<Record<Priority, number>> = { yielding: 1, unsafe: 2, safe: 4 }

export const shed = filterKind({
  name: 'shed',
  sections: {
    shedAt: {
      at: 'top',
      schema: Duration({
        description:
          'So late may the event loop be before requests are refused with 503 and `Retry-After`: fallbacks and what was rolled back from then on, methods that are not safe from twice that on, all from four times that on; each until it is less than half as late. Absent: none is.',
      }),
    },
  },
  configure({ shedAt }, { route: { move }, problem }) {
    if (shedAt === undefined) return undefined
    const shedAtMs = durationMs(shedAt)
    if (shedAtMs < 10)
      problem(['shedAt'], 'shedAt must be at least 10ms: less is lost in the noise of a healthy gateway')
    return {
      does: `may be refused while the gateway is ${shedAt} behind`,
      bind({ pressure, rollouts }) {
        /** Why there is no room for it; counted. */
        function lack(priority: Priority): Failure | undefined {
          if (!pressure.isBehind(priority, shedAtMs * times[priority])) return undefined
          pressure.refused(priority)
          return new Failure('overloaded', `${priority}: the gateway is ${Math.round(pressure.lagMs())} ms behind`)
        }
        const lacksFallback = () => lack('yielding')
        const isRolledBack = () => move !== undefined && rollouts.standing(move.rollout).why === 'rollback'
        const priorityOf = ({ method }: Exchange) => (isSafe(method) ? 'safe' : 'unsafe')
        return function shed(exchange, next) {
          const lacking = lack(isRolledBack() ? 'yielding' : priorityOf(exchange))
          if (lacking) return Promise.reject(lacking)
          return next(move ? { ...exchange, lacksFallback } : exchange)
        }
      },
    }
  },
})
