// The monolith's one database: everything the company knows in one file, as such systems have it.
// The danger it guards against: a start on an existing folder that writes the first day's books over the present ones.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFreight } from '../services/kit/seed.ts'
import { fold } from '../services/kit/words.ts'

const schema = `
  CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL, country TEXT NOT NULL,
    matchcode TEXT NOT NULL) STRICT;
  CREATE TABLE manifest (id INTEGER PRIMARY KEY, vessel TEXT NOT NULL, sails_on TEXT NOT NULL) STRICT;
  CREATE TABLE shipment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL UNIQUE,
    customer_id INTEGER NOT NULL REFERENCES customer (id), manifest_id INTEGER REFERENCES manifest (id),
    origin TEXT NOT NULL, destination TEXT NOT NULL, commodity TEXT NOT NULL, weight_kg INTEGER NOT NULL,
    status TEXT NOT NULL, departs_on TEXT NOT NULL,
    matchcode TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1) STRICT;
  CREATE INDEX shipment_of_manifest ON shipment (manifest_id);
  CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, stored_at INTEGER NOT NULL) STRICT;
  CREATE TABLE session (token TEXT PRIMARY KEY, login TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
`

/** A shipment's own words, folded: what the search's LIKE looks through. Takes the names of WrittenShipment. */
export const matchcode =
  "fold(:reference || ' ' || :origin || ' ' || :destination || ' ' || :commodity || ' ' || :status)"

export const insertShipment = `
  INSERT INTO shipment (id, reference, customer_id, manifest_id, origin, destination, commodity, weight_kg, status,
    departs_on, matchcode) VALUES (:id, :reference, :customerId, :manifestId, :origin, :destination, :commodity, :weightKg,
    :status, :departsOn, ${matchcode})`

/** Opens the books in that folder; writes the first day's into an empty one. */
export function openBooks(dataDir: string): DatabaseSync {
  const database = new DatabaseSync(join(dataDir, 'freight.db'))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON')
  database.function('fold', { deterministic: true }, (text) => fold(String(text)))
  const isNew = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'shipment'").get() === undefined
  if (isNew) writeFirstDay(database)
  return database
}

function writeFirstDay(database: DatabaseSync): void {
  const { customers, manifests, shipments } = makeFreight()
  database.exec('BEGIN')
  database.exec(schema)
  const addCustomer = database.prepare('INSERT INTO customer VALUES (?, ?, ?, ?, fold(?))')
  for (const { id, name, city, country } of customers) addCustomer.run(id, name, city, country, name)
  const addManifest = database.prepare('INSERT INTO manifest VALUES (?, ?, ?)')
  for (const { id, vessel, sailsOn } of manifests) addManifest.run(id, vessel, sailsOn)
  const addShipment = database.prepare(insertShipment)
  for (const shipment of shipments) addShipment.run({ ...shipment })
  database.exec('COMMIT')
}
