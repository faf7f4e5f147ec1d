// What is known of a key of ours, and what follows from it at a moment: whether it works, and until when.
// The danger it guards against: a key that works for ever because nobody looked at its age.
import type { KeyHashes } from './keyHash.ts'

/** Without the key itself, which nobody keeps. All times are milliseconds since the epoch. */
export interface KeyRecord {
  readonly id: string
  /** 1, 2, 3 … with each change: the highest is the newest. */
  readonly version: number
  readonly hashes: KeyHashes
  readonly env: string
  readonly owner: string
  readonly scopes: readonly string[]
  /** The names of the Routes that it opens; absent: all. */
  readonly routes?: readonly string[]
  /** Such as `100/min`. */
  readonly rate?: string
  readonly createdBy: string
  readonly createdAt: number
  readonly expiresAt?: number
  /** The id of the first key in its line of successors: to limits and shares they are one client. */
  readonly line: string
  /** It has been rotated. */
  readonly rotated?: Rotated
}

interface Rotated {
  readonly at: number
  readonly by: string
  /** The id of the key that takes its place. */
  readonly successor: string
  /** Both work until then. */
  readonly sunsetAt: number
}

/** A key that is not to work any more. There is no way back from it. */
export interface Revocation {
  readonly id: string
  readonly at: number
  readonly by: string
  readonly reason: string
}

export interface KeyPolicy {
  /** The most that a key may be old. */
  readonly maxAgeMs: number
  /** So long before that it is told. */
  readonly warnMs: number
  /** How long a rotated key works beside its successor. */
  readonly overlapMs: number
}

/** `ageing`: it works, and is nearly too old. `rotated`: it works until its sunset. `replaced`: its sunset has passed. */
export type KeyStanding = 'live' | 'ageing' | 'rotated' | 'replaced' | 'tooOld' | 'expired' | 'revoked'

export function standingOf(
  record: KeyRecord,
  revocation: Revocation | undefined,
  policy: KeyPolicy,
  atMs: number,
): KeyStanding {
  const { createdAt, expiresAt, rotated } = record
  if (revocation) return 'revoked'
  if (expiresAt !== undefined && atMs >= expiresAt) return 'expired'
  if (rotated && atMs >= rotated.sunsetAt) return 'replaced'
  if (atMs >= createdAt + policy.maxAgeMs) return 'tooOld'
  if (rotated) return 'rotated'
  return atMs >= createdAt + policy.maxAgeMs - policy.warnMs ? 'ageing' : 'live'
}

export function works(standing: KeyStanding): boolean {
  return standing === 'live' || standing === 'ageing' || standing === 'rotated'
}

/** When it stops to work by itself. */
export function endOf({ createdAt, expiresAt, rotated }: KeyRecord, { maxAgeMs }: KeyPolicy): number {
  return Math.min(
    createdAt + maxAgeMs,
    expiresAt ?? Number.POSITIVE_INFINITY,
    rotated?.sunsetAt ?? Number.POSITIVE_INFINITY,
  )
}

/** What was written by another version, or by somebody else, is not taken for a key. */
export function readRecord(value: unknown): KeyRecord | undefined {
  if (!isMapping(value)) return undefined
  const { id, version, hashes, env, owner, scopes, routes, createdBy, createdAt, expiresAt, line, rate, rotated } =
    value
  const isWhole =
    [id, env, owner, createdBy, line].every((text) => typeof text === 'string') &&
    [version, createdAt].every(Number.isSafeInteger) &&
    isListOfTexts(scopes) &&
    (routes === undefined || isListOfTexts(routes)) &&
    (rate === undefined || typeof rate === 'string') &&
    (expiresAt === undefined || Number.isSafeInteger(expiresAt)) &&
    (rotated === undefined || isRotated(rotated)) &&
    isMapping(hashes) &&
    Object.values(hashes).every((hash) => typeof hash === 'string')
  return isWhole ? (value as unknown as KeyRecord) : undefined
}

export function readRevocation(value: unknown): Revocation | undefined {
  if (!isMapping(value)) return undefined
  const { id, at, by, reason } = value
  const isWhole = [id, by, reason].every((text) => typeof text === 'string') && Number.isSafeInteger(at)
  return isWhole ? (value as unknown as Revocation) : undefined
}

function isRotated(value: unknown): boolean {
  if (!isMapping(value)) return false
  const { at, by, successor, sunsetAt } = value
  return [at, sunsetAt].every(Number.isSafeInteger) && [by, successor].every((text) => typeof text === 'string')
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
