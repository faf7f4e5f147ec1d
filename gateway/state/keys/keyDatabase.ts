// `stateDir/keys/keys.db`: texts under names in a few tables, by the SQLite that Node brings. What is written is on the disk when the
// call returns, whatever ends the process then.
// The danger it guards against: a revocation that a crash has forgotten.
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolder } from '../folder.ts'

const version = 1
/** Requests wait as long: another process holds the file for one write at most. */
const patientMs = 250
const tables = ['records', 'revocations', 'uses', 'meta'] as const
type Table = (typeof tables)[number]
type Entry = readonly [name: string, text: string]

export class KeyDatabase {
  readonly #database: DatabaseSync
  #seenVersion: number

  /** @throws why the file cannot be used */
  constructor(stateDir: string) {
    this.#database = open(join(stateDir, 'keys'))
    this.#seenVersion = this.#versionOfOthers()
  }

  read(table: Table): readonly Entry[] {
    const rows = this.#database.prepare(`SELECT name, text FROM ${table}`).all()
    return rows.map(({ name, text }) => [String(name), String(text)])
  }

  /** All of it or nothing. @throws why not */
  write(entries: Partial<Record<Table, Iterable<Entry>>>): void {
    this.#atOnce(() => {
      for (const table of tables) {
        const statement = this.#database.prepare(`INSERT OR REPLACE INTO ${table} (name, text) VALUES (?, ?)`)
        for (const [name, text] of entries[table] ?? []) statement.run(name, text)
      }
    })
  }

  remove(table: Table, names: Iterable<string>): void {
    this.#atOnce(() => {
      const statement = this.#database.prepare(`DELETE FROM ${table} WHERE name = ?`)
      for (const name of names) statement.run(name)
    })
  }

  /** Whether another process has written since this was asked last. */
  isChangedByOthers(): boolean {
    const found = this.#versionOfOthers()
    const isChanged = found !== this.#seenVersion
    this.#seenVersion = found
    return isChanged
  }

  close(): void {
    this.#database.close()
  }

  #atOnce(change: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      change()
      this.#database.exec('COMMIT')
    } catch (thrown) {
      // Of a full disk SQLite has undone all itself; a second try would only hide why.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw thrown
    }
  }

  #versionOfOthers(): number {
    return Number(this.#database.prepare('PRAGMA data_version').get()?.data_version)
  }
}

function open(folder: string): DatabaseSync {
  makeFolder(folder, 0o700)
  const file = join(folder, 'keys.db')
  // SQLite gives its own files beside it the mode of this one.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file, { timeout: patientMs })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    const found = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    if (found > version) throw new Error(`${file} was written by a newer version of the gateway`)
    for (const table of tables)
      database.exec(`CREATE TABLE IF NOT EXISTS ${table} (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID`)
    database.exec(`PRAGMA user_version = ${version}`)
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}
