// `/api/search` as the monolith has always done it: one LIKE per word over all columns of all shipments, joined.
// The danger it guards against: a `%` of the client's that finds everything; words are folded, and have neither % nor _.
import type { DatabaseSync } from 'node:sqlite'
import { type Endpoint, endpoint } from '../services/kit/router.ts'
import { readQuestion, type SearchResult, sendResults } from '../services/kit/searchContract.ts'

const joined = `
  SELECT s.id, s.reference, s.origin, s.destination, c.name AS customer, s.commodity, s.status, s.departs_on AS departsOn,
    ' ' || s.matchcode || ' ' || c.matchcode AS everything
  FROM shipment s JOIN customer c ON c.id = s.customer_id`

export function searchEndpoints(books: DatabaseSync): readonly Endpoint[] {
  return [
    endpoint('GET', '/api/search', (visit) => {
      const question = readQuestion(visit.query)
      const { words, page, size } = question
      const like = words.map(() => 'everything LIKE ?').join(' AND ')
      const rows = books
        .prepare(`SELECT * FROM (${joined}) WHERE ${like} ORDER BY departsOn DESC, id`)
        .all(...words.map((word) => `% ${word}%`))
      const shown = rows.slice((page - 1) * size, page * size)
      sendResults(visit, question, { total: rows.length, results: shown.map(resultOf) })
    }),
  ]
}

function resultOf({ everything, ...result }: Record<string, unknown>): SearchResult {
  return result as unknown as SearchResult
}
