// The freight company's books on the first day: the monolith and the search service both start from these.
// The danger it guards against: a difference between the two sides that nobody's move has caused.
import { randomFrom } from './prng.ts'

export interface Customer {
  readonly id: number
  readonly name: string
  readonly city: string
  readonly country: string
}

export interface Manifest {
  readonly id: number
  readonly vessel: string
  /** YYYY-MM-DD */
  readonly sailsOn: string
}

export interface Shipment {
  readonly id: number
  readonly reference: string
  readonly customerId: number
  readonly manifestId: number
  readonly origin: string
  readonly destination: string
  readonly commodity: string
  readonly weightKg: number
  readonly status: ShipmentStatus
  /** YYYY-MM-DD */
  readonly departsOn: string
}

export const shipmentStatuses = ['booked', 'loaded', 'in transit', 'customs', 'delivered', 'lost'] as const
export type ShipmentStatus = (typeof shipmentStatuses)[number]

export interface Freight {
  readonly customers: readonly Customer[]
  readonly manifests: readonly Manifest[]
  readonly shipments: readonly Shipment[]
}

const counts = { customers: 240, manifests: 120, shipments: 3000 }

const ports = [
  ...['Hamburg', 'Rotterdam', 'Göteborg', 'Århus', 'Gdańsk', 'Łódź', 'Trieste', 'Le Havre', 'Felixstowe', 'Bilbao'],
  ...['Algeciras', 'Piraeus', 'İzmir', 'Port Said', 'Mombasa', 'Durban', 'Mumbai', 'Colombo', 'Singapore', 'Busan'],
  ...['Yokohama', 'Shanghai', 'Kaohsiung', 'Vancouver', 'Oakland', 'Houston', 'Veracruz', 'Santos', 'São Paulo'],
]
const commodities = [
  ...['green coffee', 'machine parts', 'roof tiles', 'ball bearings', 'frozen fish', 'bananas', 'steel coils', 'wine'],
  ...['bicycles', 'piano frames', 'cotton bales', 'solar panels', 'pharmaceuticals', 'timber', 'olive oil', 'tea'],
]
const familyNames = [
  ...['Nordström', 'Baker', 'O’Brien', 'Müller', 'Kowalski', 'Fernandes', 'Tanaka', 'Rossi', 'Dubois', 'Haddad'],
  ...['Novák', 'Jensen', 'van der Meer', 'Okafor', 'Papadakis', 'Li'],
]
const trades = ['Trading', 'Foods', 'Steelworks', 'Logistics', 'Furniture', 'Chemicals', 'Imports', 'Textiles']
const forms = ['GmbH', 'Ltd', 'AB', 'S.A.', '& Sons', 'Co-operative']
const vesselFirst = ['MV', 'MS']
const vesselLast = ['Albatross', 'Banyan', 'Cormorant', 'Dunlin', 'Eider', 'Fulmar', 'Gannet', 'Heron', 'Ibis']
const countries = ['DE', 'NL', 'SE', 'PL', 'IT', 'FR', 'GB', 'ES', 'GR', 'JP']

/** @param seed the same seed gives the same books, on every machine. */
export function makeFreight(seed = 1887): Freight {
  const random = randomFrom(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const rows = <T>(count: number, make: (id: number) => T) =>
    Array.from({ length: count }, (_, index) => make(index + 1))
  const day = () => new Date(Date.UTC(2025, 0, 1 + below(540))).toISOString().slice(0, 10)

  return {
    customers: rows(counts.customers, (id) => ({
      id,
      name: `${pick(familyNames)} ${pick(trades)} ${pick(forms)}`,
      city: pick(ports),
      country: pick(countries),
    })),
    manifests: rows(counts.manifests, (id) => ({
      id,
      vessel: `${pick(vesselFirst)} ${pick(vesselLast)}`,
      sailsOn: day(),
    })),
    shipments: rows(counts.shipments, (id) => ({
      id,
      reference: `BF-${String(100_000 + id)}`,
      customerId: 1 + below(counts.customers),
      manifestId: 1 + below(counts.manifests),
      origin: pick(ports),
      destination: pick(ports),
      commodity: pick(commodities),
      weightKg: 20 + below(24_000),
      status: pick(shipmentStatuses),
      departsOn: day(),
    })),
  }
}
