// The shipments as a full-text index: SQLite's FTS5, ranked by BM25.
// The danger it guards against: a query word taken for FTS5's own syntax; so each goes in quoted.
import { DatabaseSync } from 'node:sqlite'
import type { SearchQuestion, SearchResult } from '../kit/searchContract.ts'
import { makeFreight } from '../kit/seed.ts'
import { fold } from '../kit/words.ts'

export interface SearchIndex {
  find(question: SearchQuestion): { total: number; results: readonly SearchResult[] }
  close(): void
}

/** An index in memory of the freight of the first day. */
export function openIndex(): SearchIndex {
  const database = new DatabaseSync(':memory:')
  database.exec(`
    CREATE TABLE shipment (id INTEGER PRIMARY KEY, shown TEXT NOT NULL) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(reference, places, customer, commodity, status, tokenize = 'unicode61');
  `)
  fill(database)
  const countAll = database.prepare('SELECT count(*) AS total FROM words WHERE words MATCH ?')
  const findPage = database.prepare(`
    SELECT shipment.shown FROM words JOIN shipment ON shipment.id = words.rowid
    WHERE words MATCH ? ORDER BY bm25(words, 8, 4, 3, 2, 1), words.rowid LIMIT ? OFFSET ?`)
  return {
    find({ words, page, size }) {
      const match = words.map((word) => `"${word}"*`).join(' AND ')
      const total = Number(countAll.get(match)?.total)
      const rows = findPage.all(match, size, (page - 1) * size)
      return { total, results: rows.map(({ shown }) => JSON.parse(String(shown)) as SearchResult) }
    },
    close: () => database.close(),
  }
}

function fill(database: DatabaseSync): void {
  const { customers, shipments } = makeFreight()
  const names = new Map(customers.map(({ id, name }) => [id, name]))
  const show = database.prepare('INSERT INTO shipment (id, shown) VALUES (?, ?)')
  const index = database.prepare(
    'INSERT INTO words (rowid, reference, places, customer, commodity, status) VALUES (?, ?, ?, ?, ?, ?)',
  )
  database.exec('BEGIN')
  for (const { id, reference, origin, destination, customerId, commodity, status, departsOn } of shipments) {
    const customer = names.get(customerId) ?? ''
    const shown: SearchResult = { id, reference, origin, destination, customer, commodity, status, departsOn }
    show.run(id, JSON.stringify(shown))
    index.run(id, ...[reference, `${origin} ${destination}`, customer, commodity, status].map(fold))
  }
  database.exec('COMMIT')
}
