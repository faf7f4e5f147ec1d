// What a restart must know of the rollouts, in stateDir: `rollouts.json`, the overrides, and `splitKey`, under which clients
// fall into buckets. The danger it guards against: a state that cannot be read and is taken for none, so that what was rolled
// back goes ahead again.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Overrides, Stage } from '../model.ts'
import { rankOf } from '../rollout/standing.ts'
import { readIfThere, writeAtomically } from './durable.ts'

export interface RolloutFile {
  /** Reads what is there, once. `isUnknown`: there is something that cannot be read. */
  open(stateDir: string): Promise<{ readonly overrides: ReadonlyMap<string, Overrides>; readonly isUnknown: boolean }>
  splitKey(): string
  /** Resolves once that is on the disk. Of several under way only the last is written. */
  save(overrides: ReadonlyMap<string, Overrides>): Promise<void>
  /** When all that was saved so far is on the disk. */
  written(): Promise<void>
}

/** @param told what went wrong with reading or writing; whoever awaits a save hears of it too */
export function createRolloutFile(told: (thrown: unknown) => void): RolloutFile {
  let file: string | undefined
  let splitKey: string | undefined
  let isUnknown = false
  let last = ''
  let onDisk: string | undefined
  let queue: Promise<void> = Promise.resolve()

  /** Writes what was saved last, be it more than its caller saved: nobody is told that his is on the disk before it is. */
  async function write(): Promise<void> {
    if (file === undefined || onDisk === last) return
    if (isUnknown)
      throw new Error(`${file} cannot be read; mend or remove it and start again: until then nothing is written there`)
    const text = last
    await writeAtomically(file, text)
    onDisk = text
  }

  return {
    async open(stateDir) {
      if (file !== undefined) return { overrides: new Map(), isUnknown }
      file = join(stateDir, 'rollouts.json')
      splitKey = await keptKey(join(stateDir, 'splitKey'), told)
      const read = await readOverrides(file).catch((thrown) => {
        told(thrown)
        isUnknown = true
      })
      return { overrides: read ?? new Map(), isUnknown }
    },
    splitKey() {
      if (splitKey === undefined) throw new Error('the split key is read before the first request')
      return splitKey
    },
    save(overrides) {
      last = `${JSON.stringify({ version: 1, overrides: Object.fromEntries(overrides) }, undefined, 1)}\n`
      const done = queue.then(write)
      queue = done.catch(told)
      // Whoever decides without waiting (the guard) has told of it with the line above.
      done.catch(() => {})
      return done
    },
    written: () => queue,
  }
}

async function readOverrides(file: string): Promise<ReadonlyMap<string, Overrides>> {
  const text = await readIfThere(file)
  if (text === undefined) return new Map()
  const { version, overrides } = JSON.parse(text)
  if (version !== 1 || !isMapping(overrides)) throw new Error(`${file} is of another version`)
  const strange = Object.keys(overrides).find((key) => !isOverrides(overrides[key]))
  if (strange !== undefined) throw new Error(`${file} has overrides of "${strange}" that are of another version`)
  return new Map(Object.entries(overrides)) as Map<string, Overrides>
}

/** The standings that each kind of override has. */
const standingsIn = { rollback: ['from', 'to'], pause: ['held'], advance: ['to', 'declared'] } satisfies Record<
  keyof Overrides,
  readonly string[]
>

function isOverrides(overrides: unknown): boolean {
  if (!isMapping(overrides)) return false
  return Object.entries(overrides).every(([kind, override]) => {
    const standings = new Map<string, readonly string[]>(Object.entries(standingsIn)).get(kind)
    return isMapping(override) && standings?.every((name) => isStanding(override[name]))
  })
}

function isStanding(value: unknown): boolean {
  return isMapping(value) && rankOf(value.stage as Stage) >= 0 && Number.isInteger(value.shareBasisPoints)
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Made at the first start. One that cannot be kept serves until the process ends. */
async function keptKey(file: string, told: (thrown: unknown) => void): Promise<string> {
  try {
    const kept = (await readIfThere(file))?.trim()
    if (kept) return kept
    const made = randomBytes(32).toString('hex')
    await writeAtomically(file, `${made}\n`)
    return made
  } catch (thrown) {
    told(thrown)
    return randomBytes(32).toString('hex')
  }
}
