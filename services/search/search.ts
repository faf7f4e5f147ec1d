// The search service: `/api/search` of the monolith, cut out of it.
// The danger it guards against: an answer that differs from the monolith's in more than its order.
import { endpoint, routerOf } from '../kit/router.ts'
import { readQuestion, sendResults } from '../kit/searchContract.ts'
import { type Running, startSite } from '../kit/server.ts'
import { openIndex } from './index.ts'

/** @param options.port 0 takes a free one */
export function startSearch(options: { port: number; host?: string }): Promise<Running> {
  const index = openIndex()
  const answer = routerOf([
    endpoint('GET', '/api/search', (visit) => {
      const question = readQuestion(visit.query)
      sendResults(visit, question, index.find(question))
    }),
  ])
  return startSite({ ...options, service: 'search', answer, close: () => index.close() })
}
