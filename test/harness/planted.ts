// Secrets that tests plant, and the grep for them in all that a gateway has written, when it closes: in whatever test it ran.
// The danger it guards against: a secret that gets into a file or onto a page that no test happens to look at.
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { findKeys } from '../../gateway/identity/keyFormat.ts'

const mark = 'planted-'

/** A secret that is known wherever it turns up. */
export function plant(what: string): string {
  return `${mark}${what}-${randomBytes(16).toString('hex')}`
}

/** How the mark may be written: as it is, in hexadecimal, and in base64 at each of its three alignments. */
const spellings: readonly string[] = [
  mark,
  Buffer.from(mark).toString('hex'),
  ...[0, 1, 2].flatMap((offset) => [alignedAt(offset, 'base64'), alignedAt(offset, 'base64url')]),
]

/** The characters that are made of the mark's bits alone, when so many bytes stand before it. */
function alignedAt(offset: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.from(' '.repeat(offset) + mark).toString(encoding)
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + mark.length) * 8) / 6))
}

/** What is a secret by its looks, whoever planted it: a token that is signed, a private key, a token of an operator. */
const shapes: readonly RegExp[] = [
  /\beyJ[\w-]{8,}\.eyJ[\w-]{2,}\.[\w-]{20,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bbya_[\w-]{43}/,
]

/** @returns what is in there that should not be, each with what stands around it */
export function secretsIn(text: string): readonly string[] {
  const lower = text.toLowerCase()
  const places = [
    lower.indexOf(mark),
    ...spellings.map((spelling) => text.indexOf(spelling)),
    ...shapes.map((shape) => text.search(shape)),
    ...findKeys(text).map((key) => text.indexOf(key)),
  ]
  const found = [...new Set(places.filter((at) => at >= 0))]
  return found.map((at) => text.slice(Math.max(0, at - 60), at + 100))
}

/** What is a secret by purpose; and the test's own file. Their modes are another matter (test/journey/plantedSecrets.test.ts). */
export const mayHoldSecrets: ReadonlySet<string> = new Set(['routes.yaml', 'splitKey', 'peppers', 'signing.json'])

export interface Written {
  readonly name: string
  readonly text: string
}

/** @throws what was found where */
export function refuseSecrets(written: readonly Written[]): void {
  const found = written.flatMap(({ name, text }) => secretsIn(text).map((leak) => `${name}: …${leak}…`))
  if (found.length > 0) throw new Error(`secrets were written where none may be:\n${found.join('\n')}`)
}

/** All files in there but those that may hold secrets. */
export async function filesIn(folder: string): Promise<readonly Written[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile() && !mayHoldSecrets.has(basename(entry.name, '.new')))
  return Promise.all(
    files.map(async (entry) => {
      const name = join(entry.parentPath, entry.name)
      // One that was renamed meanwhile is read under its other name.
      return { name, text: await readFile(name, 'latin1').catch(() => '') }
    }),
  )
}

const pages = ['status', 'metrics', 'history', 'nowhere'] as const

/** What the admin listener tells; nothing where it is gone already. */
export async function pagesOf(adminUrl: string, headers: Record<string, string> = {}): Promise<readonly Written[]> {
  return Promise.all(
    pages.map(async (page) => {
      const name = `${adminUrl}/${page}`
      const text = await fetch(name, { headers }).then(
        (response) => response.text(),
        () => '',
      )
      return { name, text }
    }),
  )
}
