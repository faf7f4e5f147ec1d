// `/api/documents`: upload, list, download, and the slow summary.
// The danger it guards against: none of its own; it only says which function answers what.
import { type Endpoint, endpoint } from '../../services/kit/router.ts'
import { Refusal, sendJson, type Visit } from '../../services/kit/visit.ts'
import { urlOf } from '../origin.ts'
import { readPage } from '../paging.ts'
import type { DocumentRow, Documents } from './documents.ts'
import { sendDocument } from './download.ts'
import { summarise } from './summary.ts'
import { receiveFiles } from './upload.ts'

export function documentEndpoints(documents: Documents): readonly Endpoint[] {
  return [
    endpoint('GET', '/api/documents', (visit) => {
      const { page, size } = readPage(visit.query)
      const { total, rows } = documents.list(page, size)
      sendJson(visit, 200, { total, page, size, documents: rows })
    }),
    endpoint('POST', '/api/documents', async (visit) => {
      const rows = (await receiveFiles(visit, documents)).map((received) => documents.add(received))
      const location = urlOf(visit.request, `/api/documents/${rows[0]?.id}`)
      sendJson(visit, 201, { documents: rows }, { Location: location })
    }),
    endpoint('GET', '/api/documents/:id', async (visit) => {
      const row = existing(visit, documents)
      await sendDocument(visit, row, documents.fileOf(row))
    }),
    endpoint('GET', '/api/documents/:id/summary', (visit) => {
      const row = existing(visit, documents)
      summarise(visit, row.type, documents.fileOf(row))
    }),
  ]
}

/** @throws Refusal 404 */
function existing({ params }: Visit, documents: Documents): DocumentRow {
  const row = documents.find(params.id ?? '')
  if (!row) throw new Refusal(404, 'there is no such document')
  return row
}
