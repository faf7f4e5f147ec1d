// The documents: their bytes in files, what is known of them in the books.
// The danger it guards against: a document in the books whose file is missing or half there.
import { renameSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { firstDocuments } from './firstDocuments.ts'

export interface DocumentRow {
  /** doc-1, doc-2 … */
  readonly id: string
  readonly name: string
  readonly type: string
  readonly bytes: number
  readonly sha256: string
  /** Milliseconds since the epoch. */
  readonly storedAt: number
}

/** A file that has come in whole. */
export interface Received {
  /** Where it is now. */
  readonly file: string
  /** As the client calls it. */
  readonly name: string
  readonly type: string
  readonly bytes: number
  readonly sha256: string
}

const selected = "SELECT 'doc-' || id AS id, name, type, bytes, sha256, stored_at AS storedAt FROM document"

export class Documents {
  readonly #books: DatabaseSync
  readonly #folder: string
  readonly #now: () => number
  #arrivals = 0

  /** @param now milliseconds since the epoch */
  constructor(books: DatabaseSync, dataDir: string, now: () => number) {
    this.#books = books
    this.#folder = join(dataDir, 'documents')
    this.#now = now
  }

  /** Makes the folder, and puts the first day's documents into an empty one. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    if (this.list(1, 1).total > 0) return
    for (const { name, type, content, sha256 } of firstDocuments()) {
      const file = this.fileForArrival()
      await writeFile(file, content)
      this.add({ file, name, type, bytes: content.length, sha256 })
    }
  }

  /** @param page 1, 2, 3 … */
  list(page: number, size: number): { total: number; rows: readonly DocumentRow[] } {
    const { total } = this.#books.prepare('SELECT count(*) AS total FROM document').get() ?? {}
    const sql = `${selected} ORDER BY document.id LIMIT ? OFFSET ?`
    const rows = this.#books.prepare(sql).all(size, (page - 1) * size) as unknown as DocumentRow[]
    return { total: Number(total), rows }
  }

  find(id: string): DocumentRow | undefined {
    const number = /^doc-([1-9]\d{0,14})$/.exec(id)?.[1]
    if (number === undefined) return undefined
    return this.#books.prepare(`${selected} WHERE document.id = ?`).get(Number(number)) as DocumentRow | undefined
  }

  fileOf({ id }: DocumentRow): string {
    return join(this.#folder, id)
  }

  /** A fresh name in the folder for bytes on their way in; what a crash left under such a name is overwritten. */
  fileForArrival(): string {
    this.#arrivals += 1
    return join(this.#folder, `arriving-${this.#arrivals}`)
  }

  /** Enters a file that is complete; it moves to its final name. */
  add({ file, name, type, bytes, sha256 }: Received): DocumentRow {
    const insert = 'INSERT INTO document (name, type, bytes, sha256, stored_at) VALUES (?, ?, ?, ?, ?)'
    this.#books.exec('BEGIN')
    try {
      const { lastInsertRowid } = this.#books.prepare(insert).run(name, type, bytes, sha256, this.#now())
      const row = this.find(`doc-${lastInsertRowid}`) as DocumentRow
      renameSync(file, this.fileOf(row))
      this.#books.exec('COMMIT')
      return row
    } catch (error) {
      this.#books.exec('ROLLBACK')
      throw error
    }
  }

  async drop(file: string): Promise<void> {
    await rm(file, { force: true })
  }
}
