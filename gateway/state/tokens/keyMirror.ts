// What issuers gave last, in files of stateDir: a gateway that starts while an issuer is away takes its tokens all the same.
// The danger it guards against: keys that a restart makes young again. So each is kept with the time at which it was given.
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere, writeAtomically } from '../durable.ts'

/** A JWK Set as it came, and when: milliseconds since the epoch. */
export interface KeptKeys {
  readonly text: string
  readonly givenAtMs: number
}

export interface KeyMirror {
  /** Once; before that nothing is kept. */
  open(stateDir: string): void
  /** @returns undefined when there is nothing that can be used. Never rejects. */
  recall(url: string): Promise<KeptKeys | undefined>
  /** Never rejects. */
  keep(url: string, kept: KeptKeys): Promise<void>
}

/** @param failed a file that is there could not be read, or none be written */
export function createKeyMirror(failed: (thrown: unknown) => void): KeyMirror {
  let folder: string | undefined
  const fileOf = (url: string) => folder && join(folder, `${hash('sha256', url, 'hex').slice(0, 32)}.json`)

  return {
    open(stateDir) {
      folder ??= join(stateDir, 'issuers')
    },
    async recall(url) {
      const file = fileOf(url)
      try {
        return readKept(file && (await readIfThere(file)))
      } catch (thrown) {
        failed(thrown)
        return undefined
      }
    },
    async keep(url, { text, givenAtMs }) {
      const file = fileOf(url)
      try {
        if (file) await writeAtomically(file, JSON.stringify({ url, givenAtMs, text }))
      } catch (thrown) {
        failed(thrown)
      }
    },
  }
}

/** @throws when it is no JSON */
function readKept(written: string | undefined): KeptKeys | undefined {
  const { text, givenAtMs } = JSON.parse(written ?? '{}')
  return typeof text === 'string' && Number.isFinite(givenAtMs) ? { text, givenAtMs } : undefined
}
