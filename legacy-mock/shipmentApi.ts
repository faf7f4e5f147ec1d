// `/api/shipments`: the shipments as JSON, to list, read, add, replace and strike out.
// The danger it guards against: two dispatchers who overwrite each other's entry (If-Match, RFC 9110 §13.1.1).
import { type Endpoint, endpoint } from '../services/kit/router.ts'
import { shipmentStatuses } from '../services/kit/seed.ts'
import { numberOf, Refusal, readJson, sendJson, type Visit } from '../services/kit/visit.ts'
import { mayChange, sendUnlessFresh } from './conditions.ts'
import { urlOf } from './origin.ts'
import { readPage } from './paging.ts'
import { readShipment } from './shipmentInput.ts'
import type { ShipmentFilter, ShipmentRow, Shipments } from './shipments.ts'

export function shipmentEndpoints(shipments: Shipments): readonly Endpoint[] {
  return [
    endpoint('GET', '/api/shipments', (visit) => {
      const { page, size } = readPage(visit.query)
      const { total, rows } = shipments.list(readFilter(visit.query), page, size)
      sendJson(visit, 200, { total, page, size, shipments: rows })
    }),
    endpoint('POST', '/api/shipments', async (visit) => {
      const added = shipments.add(readShipment(await readJson(visit)))
      const location = urlOf(visit.request, `/api/shipments/${added.id}`)
      sendJson(visit, 201, added, { Location: location, ETag: tagOf(added) })
    }),
    endpoint('GET', '/api/shipments/:id', (visit) => {
      const row = existing(visit, shipments)
      sendUnlessFresh(visit, tagOf(row), () => sendJson(visit, 200, row, { ETag: tagOf(row) }))
    }),
    endpoint('PUT', '/api/shipments/:id', async (visit) => {
      const written = readShipment(await readJson(visit))
      const row = changeable(visit, shipments)
      const replaced = shipments.replace(row, written)
      sendJson(visit, 200, replaced, { ETag: tagOf(replaced) })
    }),
    endpoint('DELETE', '/api/shipments/:id', (visit) => {
      shipments.remove(changeable(visit, shipments).id)
      visit.response.writeHead(204, { 'X-Served-By': visit.service }).end()
    }),
  ]
}

/** @throws Refusal 400 for a status that no shipment can have. */
export function readFilter(query: URLSearchParams): ShipmentFilter {
  const status = query.get('status') ?? undefined
  if (status !== undefined && !shipmentStatuses.some((known) => known === status)) {
    throw new Refusal(400, `status must be one of ${shipmentStatuses.join(', ')}`)
  }
  return {
    status,
    origin: query.get('origin') ?? undefined,
    destination: query.get('destination') ?? undefined,
    customerId: numberOf(query, 'customer', [1, Number.MAX_SAFE_INTEGER]),
  }
}

function tagOf({ id, version }: ShipmentRow): string {
  return `"s${id}-${version}"`
}

/** @throws Refusal 404 */
function existing(visit: Visit, shipments: Shipments): ShipmentRow {
  const row = findShipment(visit, shipments)
  if (!row) throw new Refusal(404, 'there is no such shipment')
  return row
}

/** @throws Refusal 412 where a condition fails, which is looked at before anything else; 404. */
function changeable(visit: Visit, shipments: Shipments): ShipmentRow {
  const row = findShipment(visit, shipments)
  if (!mayChange(visit.request, row && tagOf(row))) throw new Refusal(412, 'it has changed since you read it')
  return existing(visit, shipments)
}

function findShipment({ params }: Visit, shipments: Shipments): ShipmentRow | undefined {
  return /^\d{1,15}$/.test(params.id ?? '') ? shipments.find(Number(params.id)) : undefined
}
