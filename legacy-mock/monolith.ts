// The monolith: a freight company's whole system in one process and one database.
// The danger it guards against: a stand-in so tame that a gateway in front of it proves nothing.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type Endpoint, routerOf } from '../services/kit/router.ts'
import { type Running, startSite } from '../services/kit/server.ts'
import { Refusal, type Visit } from '../services/kit/visit.ts'
import { openBooks } from './database.ts'
import { documentEndpoints } from './documents/documentApi.ts'
import { Documents } from './documents/documents.ts'
import { eventEndpoints } from './events.ts'
import { liveEndpoints, liveUpgrades } from './live/handshake.ts'
import { oddEndpoints } from './odd.ts'
import { pageEndpoints, sendRefusalPage } from './pages.ts'
import { searchEndpoints } from './search.ts'
import { Sessions } from './sessions.ts'
import { shipmentEndpoints } from './shipmentApi.ts'
import { Shipments } from './shipments.ts'
import { whoamiEndpoints } from './whoami.ts'

export interface MonolithOptions {
  /** 0 takes a free one. */
  readonly port: number
  readonly host?: string
  /** Where the books and documents are kept; without it a fresh folder that goes with the process. */
  readonly dataDir?: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export async function startMonolith({ dataDir, now = Date.now, ...where }: MonolithOptions): Promise<Running> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'freight-')))
  await mkdir(folder, { recursive: true })
  const books = openBooks(folder)
  const documents = new Documents(books, folder, now)
  await documents.open()
  return startSite({
    ...where,
    service: 'monolith',
    answer: answerWith(routerOf(endpointsOf(books, documents, now))),
    upgrades: liveUpgrades,
    async close() {
      books.close()
      if (dataDir === undefined) await rm(folder, { recursive: true, force: true })
    },
  })
}

function endpointsOf(books: DatabaseSync, documents: Documents, now: () => number): readonly Endpoint[] {
  const shipments = new Shipments(books)
  const sessions = new Sessions(books, now)
  return [
    ...pageEndpoints({ books, shipments, sessions }),
    ...searchEndpoints(books),
    ...shipmentEndpoints(shipments),
    ...documentEndpoints(documents),
    ...eventEndpoints,
    ...liveEndpoints,
    ...whoamiEndpoints,
    ...oddEndpoints,
  ]
}

/** A browser is refused with a page, everybody else with JSON. */
function answerWith(route: (visit: Visit) => void | Promise<void>): (visit: Visit) => Promise<void> {
  return async (visit) => {
    try {
      await route(visit)
    } catch (thrown) {
      const isForBrowser = (visit.request.headers.accept ?? '').includes('text/html')
      if (!isForBrowser || !(thrown instanceof Refusal) || visit.response.headersSent) throw thrown
      await sendRefusalPage(visit, thrown)
    }
  }
}
