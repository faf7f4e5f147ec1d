// The monolith: a freight company's whole system in one process and one database.
// The danger it guards against: a stand-in so tame that a gateway in front of it proves nothing.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { routerOf } from '../services/kit/router.ts'
import { type Running, startSite } from '../services/kit/server.ts'
import { openBooks } from './database.ts'
import { documentEndpoints } from './documents/documentApi.ts'
import { Documents } from './documents/documents.ts'
import { searchEndpoints } from './search.ts'
import { shipmentEndpoints } from './shipmentApi.ts'
import { Shipments } from './shipments.ts'

export interface MonolithOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly host?: string
  /** Where the books and documents are kept; without it a fresh folder that goes with the process. */
  readonly dataDir?: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export async function startMonolith(options: MonolithOptions): Promise<Running> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'freight-')))
  await mkdir(dataDir, { recursive: true })
  const books = openBooks(dataDir)
  const shipments = new Shipments(books)
  const documents = new Documents(books, dataDir, options.now ?? Date.now)
  await documents.open()
  const answer = routerOf([...searchEndpoints(books), ...shipmentEndpoints(shipments), ...documentEndpoints(documents)])
  return startSite({
    service: 'monolith',
    port: options.port,
    ...(options.host && { host: options.host }),
    answer,
    async close() {
      books.close()
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  })
}
