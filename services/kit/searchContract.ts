// What `/api/search` asks and answers, on whichever side it runs.
// A shipment is found when each word of the query begins a word of its reference, origin, destination, customer, commodity
// or status. Only the order differs: the monolith gives the latest departure first, the service the best match (BM25).
// The danger it guards against: a client that can tell the two sides apart.
import { numberOf, Refusal, sendJson, type Visit } from './visit.ts'
import { wordsOf } from './words.ts'

export interface SearchQuestion {
  /** As the client wrote it. */
  readonly query: string
  /** Folded, each once, at least one. */
  readonly words: readonly string[]
  /** 1, 2, 3 … */
  readonly page: number
  readonly size: number
}

export interface SearchResult {
  readonly id: number
  readonly reference: string
  readonly origin: string
  readonly destination: string
  readonly customer: string
  readonly commodity: string
  readonly status: string
  readonly departsOn: string
}

const longestQuery = 200

/** @throws Refusal 400 for a missing, empty or overlong q and for a page or size out of range. */
export function readQuestion(query: URLSearchParams): SearchQuestion {
  const text = query.get('q')
  if (text === null) throw new Refusal(400, 'q is missing')
  if (text.length > longestQuery) throw new Refusal(400, `q is longer than ${longestQuery} characters`)
  const words = wordsOf(text)
  if (words.length === 0) throw new Refusal(400, 'q must have a letter or a digit')
  const page = numberOf(query, 'page', [1, 1_000_000]) ?? 1
  const size = numberOf(query, 'size', [1, 100]) ?? 20
  return { query: text, words, page, size }
}

/** @param found one page of results, and how many there are in all */
export function sendResults(
  visit: Visit,
  question: SearchQuestion,
  found: { total: number; results: readonly SearchResult[] },
): void {
  const { query, page, size } = question
  sendJson(visit, 200, { query, total: found.total, page, size, results: found.results })
}
