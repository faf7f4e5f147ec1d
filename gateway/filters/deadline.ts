// The moment by which a route's answer must have begun, however many upstreams are asked for it and however often.
// The danger it guards against: timeouts that add up, one attempt after another, to more than any client waits.

import { Duration, durationMs } from '../config/schema.ts'
import { filterKind } from '../filter.ts'

export const deadline = filterKind({
  name: 'deadline',
  sections: {
    deadline: {
      at: 'route',
      schema: Duration({
        description:
          'From the head of the request to the head of its answer, whoever gives it: retries, their pauses and a fallback included. Longer than `firstByte` of the upstream, or nothing is left for a fallback; bodies are not cut by it.',
      }),
    },
  },
  configure({ deadline: text }) {
    if (text === undefined) return undefined
    const deadlineMs = durationMs(text)
    return {
      does: `answers within ${text}`,
      bind: () => (exchange, next) => next({ ...exchange, deadlineAt: exchange.receivedAt + deadlineMs }),
    }
  },
})
