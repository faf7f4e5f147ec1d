// What a restart must know of the rollouts, in stateDir: `rollouts.json`, the overrides, and `splitKey`, under which clients
// fall into buckets. The danger it guards against: a state that cannot be read and is taken for none, so that what was rolled
// back goes ahead again.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Overrides, Stage } from '../model.ts'
import { rankOf } from '../rollout/standing.ts'
import { readIfThere, writeAtomically } from './durable.ts'

export interface Found {
  readonly overrides: ReadonlyMap<string, Overrides>
  /** There is something that cannot be read. */
  readonly isUnknown: boolean
  readonly isThere: boolean
}

export interface RolloutFile {
  /** Reads what is there, once. */
  open(stateDir: string): Promise<Found>
  splitKey(): string
  /** In place of the one that is there. */
  useSplitKey(key: string): Promise<void>
  /**
   * Resolves once that is on the disk. Of several under way only the last is written. What the disk refuses is tried again until
   * it is taken: nobody may order anything more of what the guard has rolled back.
   */
  save(overrides: ReadonlyMap<string, Overrides>): Promise<void>
  /** When all that was saved so far is on the disk, or has been refused once more; then nothing is tried again. */
  written(): Promise<void>
}

const retryMs = 1_000

/** @param told what went wrong with reading or writing; whoever awaits a save hears of it too */
export function createRolloutFile(told: (thrown: unknown) => void): RolloutFile {
  let file: string | undefined
  let keyFile: string | undefined
  let splitKey: string | undefined
  let isUnknown = false
  let last = ''
  /** As far as it was written here. */
  let onDisk = ''
  let queue: Promise<void> = Promise.resolve()
  let retry: NodeJS.Timeout | undefined

  /** Writes what was saved last, be it more than its caller saved: nobody is told that his is on the disk before it is. */
  async function write(): Promise<void> {
    if (file === undefined || onDisk === last) return
    if (isUnknown)
      throw new Error(`${file} cannot be read; mend or remove it and start again: until then nothing is written there`)
    const text = last
    await writeAtomically(file, text)
    onDisk = text
  }

  function retryLater(): void {
    clearTimeout(retry)
    if (isUnknown || onDisk === last) return
    retry = setTimeout(() => {
      // It has been told of.
      queue = queue.then(write).catch(retryLater)
    }, retryMs).unref()
  }

  return {
    async open(stateDir) {
      if (file !== undefined) return { overrides: new Map(), isUnknown, isThere: false }
      file = join(stateDir, 'rollouts.json')
      keyFile = join(stateDir, 'splitKey')
      const kept = await readKept(file, keyFile, told)
      isUnknown = kept.isUnknown
      splitKey = kept.splitKey ?? (await newKey(isUnknown ? undefined : keyFile, told))
      return { overrides: kept.overrides ?? new Map(), isUnknown, isThere: kept.overrides !== undefined }
    },
    async useSplitKey(key) {
      if (key === splitKey || keyFile === undefined) return
      splitKey = key
      await writeAtomically(keyFile, `${key}\n`)
    },
    splitKey() {
      if (splitKey === undefined) throw new Error('the split key is read before the first request')
      return splitKey
    },
    save(overrides) {
      last = `${JSON.stringify({ version: 1, overrides: Object.fromEntries(overrides) }, undefined, 1)}\n`
      const done = queue.then(write)
      queue = done.catch((thrown) => {
        told(thrown)
        retryLater()
      })
      // Whoever decides without waiting (the guard) has told of it with the line above.
      done.catch(() => {})
      return done
    },
    async written() {
      await queue
      clearTimeout(retry)
      if (!isUnknown) await write().catch(() => {})
    },
  }
}

/** Under another key clients would change sides: what stands below live stays at the old one while that cannot be read. */
async function readKept(file: string, keyFile: string, told: (thrown: unknown) => void) {
  let isUnknown = false
  const unknown = (thrown: unknown) => {
    told(thrown)
    isUnknown = true
    return undefined
  }
  const splitKey = (await readIfThere(keyFile).catch(unknown))?.trim() || undefined
  const overrides = await readOverrides(file).catch(unknown)
  return { splitKey, overrides, isUnknown }
}

/** @returns undefined when there is none */
async function readOverrides(file: string): Promise<ReadonlyMap<string, Overrides> | undefined> {
  const text = await readIfThere(file)
  if (text === undefined) return undefined
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

/** Whether it is one of this version. */
export function isOverrides(overrides: unknown): overrides is Overrides {
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

/** One that cannot be kept serves until the process ends. @param file where it is kept, if anywhere */
async function newKey(file: string | undefined, told: (thrown: unknown) => void): Promise<string> {
  const made = randomBytes(32).toString('hex')
  if (file !== undefined) await writeAtomically(file, `${made}\n`).catch(told)
  return made
}
