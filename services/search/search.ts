// The search service: `/api/search` of the monolith, cut out of it.
// The danger it guards against: an answer that differs from the monolith's in more than its order.
import { endpoint, routerOf } from '../kit/router.ts'
import { readQuestion, sendResults } from '../kit/searchContract.ts'
import { type Running, startSite } from '../kit/server.ts'
import { guarded, type Trust } from '../kit/verifier.ts'
import { openIndex } from './index.ts'

export interface SearchOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly host?: string
  readonly trust?: Trust
}

export function startSearch({ trust, ...where }: SearchOptions): Promise<Running> {
  const index = openIndex()
  const answer = routerOf([
    endpoint('GET', '/api/search', (visit) => {
      const question = readQuestion(visit.query)
      sendResults(visit, question, index.find(question))
    }),
  ])
  return startSite(guarded({ ...where, service: 'search', answer, close: () => index.close() }, trust))
}
