// The keys of one issuer: what it gave last, asked for again and again, and once more for a token whose key is not there.
// The danger it guards against: a new key that nobody knows, or an old one that nobody has forgotten.
import type { Clock, IssuerSettings } from '../../model.ts'
import { secretKeyOf } from './jose.ts'
import type { KeyMirror } from './keyMirror.ts'
import { createKeyRing, type KeyChange, type KeyRing, type KeyRingView } from './keyRing.ts'
import { type KeySourceParts, openSource } from './keySource.ts'
import { createMissingKeys, type MissingKeys } from './missingKeys.ts'

export interface KeySet extends Pick<KeyRing, 'find'>, MissingKeys {
  /** Whether its keys are those that the issuer gives, or gave not too long ago. */
  isTrusted(): boolean
  view(): KeyRingView
  /** Its keys are worth nothing from now on. */
  close(): Promise<void>
}

/** How often the issuer is asked, and how long its last keys are good while it gives none; read each time. */
export type Timing = () => Pick<IssuerSettings, 'refreshMs' | 'lastGoodMs'>

export interface KeySetParts {
  readonly clock: Clock
  readonly schedule: KeySourceParts['schedule']
  /** Absent: nothing is known after a start. */
  readonly mirror?: Pick<KeyMirror, 'recall' | 'keep'>
  changed(change: KeyChange): void
}

const retryMs = 10_000

/** @param place where they come from */
export function openKeySet(place: IssuerSettings['keys'], timing: Timing, parts: KeySetParts): KeySet {
  const { clock, schedule, changed } = parts
  if (place.from === 'secret') {
    const { find, view, withdraw } = createKeyRing(clock, [secretKeyOf(place.secret)], changed)
    return { find, view, isTrusted: () => true, lookFor: () => undefined, close: async () => withdraw() }
  }
  const { find, has, isTrusted, view, withdraw, ...ring } = createKeyRing(clock, [], changed)
  const nextMs = () => (view().trouble === undefined ? timing().refreshMs : Math.min(retryMs, timing().refreshMs))
  const { recalled, take, written } = mirrored(place, ring, { ...parts, view })
  const source = openSource(place, { schedule, nextMs, take, fail: ring.fail })
  return {
    find,
    view,
    isTrusted: () => isTrusted(timing().lastGoodMs),
    ...createMissingKeys(clock, () => recalled.then(source.look), has),
    async close() {
      withdraw()
      await source.close()
      await written()
    },
  }
}

/** What a URL gives is kept for the next start; a file is there itself. */
function mirrored(
  place: IssuerSettings['keys'],
  { take, restore }: Pick<KeyRing, 'take' | 'restore'>,
  { clock, mirror, view }: Pick<KeySetParts, 'clock' | 'mirror'> & Pick<KeyRing, 'view'>,
) {
  if (place.from !== 'url' || !mirror) return { recalled: Promise.resolve(), take, written: async () => {} }
  const { url } = place
  const recalled = mirror.recall(url).then((kept) => kept && restore(kept.text, kept.givenAtMs))
  let writing: Promise<void> = Promise.resolve()
  return {
    recalled,
    take(text: string) {
      take(text)
      if (view().trouble === undefined)
        writing = writing.then(() => mirror.keep(url, { text, givenAtMs: clock.wall() }))
    },
    written: () => writing,
  }
}
