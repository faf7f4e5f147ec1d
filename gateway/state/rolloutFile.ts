// What a restart must know of the rollouts, in stateDir: `rollouts.json`, the overrides and where the file had them, and `splitKey`, under which clients
// fall into buckets. The danger it guards against: a state that cannot be read and is taken for none, so that what was rolled
// back goes ahead again.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Overrides, Stage, Standing } from '../model.ts'
import { rankOf } from '../rollout/standing.ts'
import { readIfThere, writeAtomically } from './durable.ts'
import { createKeptFile } from './keptFile.ts'

/** By the rollout's key. */
export interface Known {
  readonly overrides: ReadonlyMap<string, Overrides>
  /** As the file declared them. */
  readonly declared: ReadonlyMap<string, Standing>
}

export interface Found extends Known {
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
  /** Resolves once that is on the disk; until then it is tried again: nobody may order anything more of what the guard has rolled back. */
  save(known: Known): Promise<void>
  /** When all that was saved so far is on the disk, or has been refused once more; then nothing is tried again. */
  written(): Promise<void>
}

/** @param told what went wrong with reading or writing; whoever awaits a save hears of it too */
export function createRolloutFile(told: (thrown: unknown) => void): RolloutFile {
  const kept = createKeptFile(told)
  let file: string | undefined
  let keyFile: string | undefined
  let splitKey: string | undefined
  let isUnknown = false

  async function refuse(): Promise<void> {
    const refused = new Error(
      `${file} cannot be read; mend or remove it and start again: until then nothing is written there`,
    )
    told(refused)
    throw refused
  }

  return {
    async open(stateDir) {
      if (file !== undefined) return { ...nothing, isUnknown, isThere: false }
      file = join(stateDir, 'rollouts.json')
      keyFile = join(stateDir, 'splitKey')
      const found = await readKept(file, keyFile, told)
      isUnknown = found.isUnknown
      splitKey = found.splitKey ?? (await newKey(isUnknown ? undefined : keyFile, told))
      return { ...(found.known ?? nothing), isUnknown, isThere: found.known !== undefined }
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
    save({ overrides, declared }) {
      if (file === undefined) return Promise.resolve()
      // Whoever decides without waiting (the guard) has told of it.
      if (isUnknown) return ignorable(refuse())
      const [ofOverrides, ofFile] = [Object.fromEntries(overrides), Object.fromEntries(declared)]
      return kept.save(
        file,
        `${JSON.stringify({ version: 1, overrides: ofOverrides, declared: ofFile }, undefined, 1)}\n`,
      )
    },
    written: kept.close,
  }
}

const nothing: Known = { overrides: new Map(), declared: new Map() }

function ignorable(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
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
  const known = await readKnown(file).catch(unknown)
  return { splitKey, known, isUnknown }
}

/** @returns undefined when there is none */
async function readKnown(file: string): Promise<Known | undefined> {
  const text = await readIfThere(file)
  if (text === undefined) return undefined
  const { version, overrides, declared } = JSON.parse(text)
  if (version !== 1 || !isMapping(overrides)) throw new Error(`${file} is of another version`)
  const strange = Object.keys(overrides).find((key) => !isOverrides(overrides[key]))
  if (strange !== undefined) throw new Error(`${file} has overrides of "${strange}" that are of another version`)
  // For the audit alone: what cannot be read of it is as good as not there.
  const standings = isMapping(declared) ? Object.entries(declared).filter(([, standing]) => isStanding(standing)) : []
  return { overrides: new Map(Object.entries(overrides)), declared: new Map(standings) } as Known
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

function isStanding(value: unknown): value is Standing {
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
