// The shipments in the books, for the pages and the API.
// The danger it guards against: a client's words taken for SQL; columns come from a fixed table, values are bound.
import type { DatabaseSync } from 'node:sqlite'
import { Refusal } from '../services/kit/visit.ts'
import { insertShipment, matchcode } from './database.ts'
import type { WrittenShipment } from './shipmentInput.ts'

export interface ShipmentRow extends WrittenShipment {
  readonly id: number
  readonly reference: string
  readonly customer: string
  readonly version: number
}

const selected = `
  SELECT s.id, s.reference, s.customer_id AS customerId, c.name AS customer, s.manifest_id AS manifestId, s.origin,
    s.destination, s.commodity, s.weight_kg AS weightKg, s.status, s.departs_on AS departsOn, s.version
  FROM shipment s JOIN customer c ON c.id = s.customer_id`

export interface ShipmentFilter {
  readonly status?: string | undefined
  readonly origin?: string | undefined
  readonly destination?: string | undefined
  readonly customerId?: number | undefined
}

const filterColumns: Readonly<Record<keyof ShipmentFilter, string>> = {
  status: 's.status',
  origin: 's.origin',
  destination: 's.destination',
  customerId: 's.customer_id',
}

export class Shipments {
  readonly #books: DatabaseSync

  constructor(books: DatabaseSync) {
    this.#books = books
  }

  /** @param page 1, 2, 3 … */
  list(filter: ShipmentFilter, page: number, size: number): { total: number; rows: readonly ShipmentRow[] } {
    const asked = Object.entries(filter).filter(([, value]) => value !== undefined)
    const where = asked.map(([key]) => `${filterColumns[key as keyof ShipmentFilter]} = ?`).join(' AND ') || '1'
    const values = asked.map(([, value]) => value as string | number)
    const { total } =
      this.#books.prepare(`SELECT count(*) AS total FROM shipment s WHERE ${where}`).get(...values) ?? {}
    const sql = `${selected} WHERE ${where} ORDER BY s.id LIMIT ? OFFSET ?`
    const rows = this.#books.prepare(sql).all(...values, size, (page - 1) * size)
    return { total: Number(total), rows: rows as unknown as ShipmentRow[] }
  }

  find(id: number): ShipmentRow | undefined {
    return this.#books.prepare(`${selected} WHERE s.id = ?`).get(id) as unknown as ShipmentRow | undefined
  }

  ofManifest(manifestId: number): readonly ShipmentRow[] {
    const rows = this.#books.prepare(`${selected} WHERE s.manifest_id = ? ORDER BY s.id`).all(manifestId)
    return rows as unknown as ShipmentRow[]
  }

  add(written: WrittenShipment): ShipmentRow {
    this.#checkReferences(written)
    const { next } =
      this.#books.prepare("SELECT seq + 1 AS next FROM sqlite_sequence WHERE name = 'shipment'").get() ?? {}
    const id = Number(next)
    this.#books.prepare(insertShipment).run({ ...written, id, reference: `BF-${100_000 + id}` })
    return this.find(id) as ShipmentRow
  }

  replace({ id, reference }: ShipmentRow, written: WrittenShipment): ShipmentRow {
    this.#checkReferences(written)
    this.#books
      .prepare(
        `UPDATE shipment SET customer_id = :customerId, manifest_id = :manifestId, origin = :origin,
          destination = :destination, commodity = :commodity, weight_kg = :weightKg, status = :status,
          departs_on = :departsOn, matchcode = ${matchcode}, version = version + 1 WHERE id = :id`,
      )
      .run({ ...written, id, reference })
    return this.find(id) as ShipmentRow
  }

  remove(id: number): void {
    this.#books.prepare('DELETE FROM shipment WHERE id = ?').run(id)
  }

  #checkReferences({ customerId, manifestId }: WrittenShipment): void {
    const isKnown = (table: 'customer' | 'manifest', id: number) =>
      this.#books.prepare(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) !== undefined
    if (!isKnown('customer', customerId)) throw new Refusal(400, `there is no customer ${customerId}`)
    if (manifestId !== null && !isKnown('manifest', manifestId))
      throw new Refusal(400, `there is no manifest ${manifestId}`)
  }
}
