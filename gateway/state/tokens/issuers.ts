// The issuers of the file, each with its keys: a reading of the file that says the same of one keeps them.
// The danger it guards against: an edit of another line of the file that forgets keys which an issuer cannot give now.
import type { IssuerSettings } from '../../model.ts'
import type { KeyChange, KeyRingView } from './keyRing.ts'
import { type KeySet, type KeySetParts, openKeySet } from './keySet.ts'

export interface Issuer {
  readonly settings: IssuerSettings
  readonly keys: KeySet
  /** Another reading says something else of it: what was found true under its rules must be found again. */
  isRetired: boolean
}

export interface IssuerView extends KeyRingView {
  readonly issuer: string
  readonly isTrusted: boolean
}

export interface IssuersParts extends Omit<KeySetParts, 'changed'> {
  /** Its keys, or what is wrong with them, are others than before. */
  changed(issuer: string, change: KeyChange): void
}

export interface Issuers {
  /** @param name what a token says of it */
  of(name: unknown): Issuer | undefined
  follow(all: readonly IssuerSettings[]): void
  views(): readonly IssuerView[]
  close(): Promise<void>
}

export function createIssuers({ changed, ...parts }: IssuersParts): Issuers {
  const issuers = new Map<string, Issuer>()
  const ending = new Set<Promise<void>>()

  function open({ issuer, keys, ...settings }: IssuerSettings): KeySet {
    const timing = () => issuers.get(issuer)?.settings ?? settings
    return openKeySet(keys, timing, { ...parts, changed: (change) => changed(issuer, change) })
  }

  function end({ keys }: Issuer): void {
    const ended = keys.close().finally(() => ending.delete(ended))
    ending.add(ended)
  }

  function adopt(settings: IssuerSettings): void {
    const before = issuers.get(settings.issuer)
    if (before && isSame(before.settings, settings)) return
    if (before) before.isRetired = true
    const hasSameKeys = before && isSame(before.settings.keys, settings.keys)
    if (before && !hasSameKeys) end(before)
    const keys = hasSameKeys ? before.keys : open(settings)
    issuers.set(settings.issuer, { settings, keys, isRetired: false })
  }

  function keepOnly(names: ReadonlySet<string>): void {
    for (const [name, issuer] of issuers) {
      if (names.has(name)) continue
      issuer.isRetired = true
      issuers.delete(name)
      end(issuer)
    }
  }

  return {
    of: (name) => (typeof name === 'string' ? issuers.get(name) : undefined),
    follow(all) {
      keepOnly(new Set(all.map(({ issuer }) => issuer)))
      for (const settings of all) adopt(settings)
    },
    views: () => [...issuers].map(([issuer, { keys }]) => ({ issuer, isTrusted: keys.isTrusted(), ...keys.view() })),
    async close() {
      keepOnly(new Set())
      await Promise.all(ending)
    },
  }
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
