// The ai service: `/api/documents/:id/summary` of the monolith, cut out of it; the documents stay where they are.
// The danger it guards against: an answer that differs from the monolith's in more than its speed.
import { endpoint, routerOf } from '../kit/router.ts'
import { type Running, startSite } from '../kit/server.ts'
import { type CountWords, checkIsText, sendSummary, weightyWords } from '../kit/summaryContract.ts'
import { guarded, type Trust } from '../kit/verifier.ts'
import { fetchDocument } from './fetchDocument.ts'

export interface AiOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly host?: string
  /** Where the documents are; the default is the monolith's own default. */
  readonly monolith?: string
  readonly trust?: Trust
}

export async function startAi({ monolith = 'http://127.0.0.1:4000', trust, ...where }: AiOptions): Promise<Running> {
  const origin = new URL(monolith).origin
  const answer = routerOf([
    endpoint('GET', '/api/documents/:id/summary', async (visit) => {
      const { type, text } = await fetchDocument(origin, visit.params.id ?? '')
      checkIsText(type)
      sendSummary(visit, text, countOnce(text))
    }),
  ])
  return startSite(guarded({ ...where, service: 'ai', answer }, trust))
}

/** Counts all words of a text in one pass; every sentence asks the same table. */
function countOnce(text: string): CountWords {
  const counts = new Map<string, number>()
  for (const word of weightyWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1)
  return (_, words) => words.map((word) => counts.get(word) ?? 0)
}
