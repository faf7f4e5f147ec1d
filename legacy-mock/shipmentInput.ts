// A shipment as a client writes it: checked, every key named.
// The danger it guards against: a row that the pages cannot show, or a mistyped key that is silently lost.

import { type Shipment, shipmentStatuses } from '../services/kit/seed.ts'
import { Refusal } from '../services/kit/visit.ts'

export interface WrittenShipment extends Omit<Shipment, 'id' | 'reference' | 'manifestId'> {
  readonly manifestId: number | null
}

const isId = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0
const isText = (value: unknown) => typeof value === 'string' && value.trim() !== '' && value.length <= 120
const isDay = (value: unknown) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))

const text = { isRight: isText, wants: 'a text of at most 120 characters' }
const rules: Readonly<Record<keyof WrittenShipment, { isRight(value: unknown): boolean; wants: string }>> = {
  customerId: { isRight: isId, wants: 'the number of a customer' },
  manifestId: { isRight: (value) => value === null || isId(value), wants: 'the number of a manifest, or null' },
  origin: text,
  destination: text,
  commodity: text,
  weightKg: { isRight: (value) => isId(value) && Number(value) <= 100_000, wants: 'kilograms from 1 to 100000' },
  status: {
    isRight: (value) => shipmentStatuses.some((known) => known === value),
    wants: `one of ${shipmentStatuses.join(', ')}`,
  },
  departsOn: { isRight: isDay, wants: 'a day as YYYY-MM-DD' },
}

/** @throws Refusal 400 naming the first mistake; without a manifest and status it is a new booking. */
export function readShipment(wish: unknown): WrittenShipment {
  if (typeof wish !== 'object' || wish === null || Array.isArray(wish)) throw new Refusal(400, 'send a JSON object')
  const unknown = Object.keys(wish).find((key) => !Object.hasOwn(rules, key))
  if (unknown !== undefined) throw new Refusal(400, `unknown key "${unknown}"`)
  const written: Record<string, unknown> = { manifestId: null, status: 'booked', ...wish }
  for (const [key, rule] of Object.entries(rules)) {
    if (!rule.isRight(written[key])) throw new Refusal(400, `${key} must be ${rule.wants}`)
  }
  return written as unknown as WrittenShipment
}
