// Tells log and metrics of each request, and turns what failed on the way into an Answer.
// The danger it guards against: a request that ends unseen. It is the outermost filter, so nothing passes it by.
import { asFailure } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { problemAnswer } from '../message/answer.ts'

export const observe = filterKind({
  name: 'observe',
  sections: {},
  configure: () => ({
    does: 'counts and logs the request',
    bind: (services) =>
      async function observe(exchange, next) {
        services.reportStart(exchange)
        try {
          const answer = await next(exchange)
          answer.onEnd((end) => services.reportEnd({ exchange, answer, end }))
          return answer
        } catch (thrown) {
          const failure = asFailure(thrown)
          const answer = problemAnswer(failure, exchange, services.clock.now)
          answer.onEnd((end) => services.reportEnd({ exchange, answer, end, reason: failure.message }))
          return answer
        }
      },
  }),
})
