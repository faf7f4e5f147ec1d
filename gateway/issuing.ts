// Keys of clients that this gateway issues, put together: what keeps and checks them, who is told of them, who may order.
// The danger it guards against: keys that are watched by nobody, or by what ends with the file they were read from.
import type { Clock, Snapshot } from './model.ts'
import { createKeyAlerts } from './ops/keyAlerts.ts'
import { createKeyDesk, type KeyDesk } from './ops/keyDesk.ts'
import { keyMetrics } from './ops/keyMetrics.ts'
import type { Log } from './ops/log.ts'
import type { ReadMetric } from './ops/readMetric.ts'
import type { Record } from './ops/record.ts'
import type { KeyBook } from './state/keys/keyBook.ts'
import { createKeyReplicas, type KeyReplicas } from './state/keys/keyReplicas.ts'
import { createKeys } from './state/keys/keys.ts'
import type { Sharing } from './state/sharing.ts'

export interface Issuing {
  readonly book: KeyBook
  readonly desk: KeyDesk
  readonly metrics: readonly ReadMetric[]
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Pick<Snapshot, 'settings'>): void
  /** Once, when stateDir is known. */
  open(stateDir: string): Promise<void>
  close(): Promise<void>
}

export interface IssuingParts {
  readonly clock: Clock
  readonly log: Pick<Log, 'life'>
  readonly record: Pick<Record, 'audit'>
  readonly sharing: Pick<Sharing, 'store' | 'view'>
}

const roundMs = 1_000
const alertEveryRounds = 10

export function assembleIssuing({ clock, log: { life }, record, sharing }: IssuingParts): Issuing {
  const onTrouble = onceEach((reason) => life.error({ reason }, 'keys are not as they should be'))
  let replicas: KeyReplicas | undefined
  let expected = 1
  const book = createKeys({ clock, onApplied: () => void announce(), onTrouble })
  const alert = createKeyAlerts(book, life)
  let timer: NodeJS.Timeout | undefined
  let rounds = 0

  async function announce(): Promise<void> {
    const revisions = book.revisions()
    if (revisions) await replicas?.announce({ applied: revisions.applied, silentMs: Math.round(book.silentMs()) })
  }

  async function round(): Promise<void> {
    await book.round()
    void announce()
    if (rounds++ % alertEveryRounds === 0) alert()
  }

  return {
    book,
    desk: createKeyDesk({ book, record, replicas: () => replicas, expected: () => expected }),
    metrics: keyMetrics(book),
    follow({ settings }) {
      expected = settings.replicas
      book.follow(settings.keys)
    },
    async open(stateDir) {
      const store = sharing.store()
      await book.open(stateDir, store)
      const fleet = async () => {
        const { id, replicas: alive } = await sharing.view()
        return { own: id, alive: alive.map((one) => one.id), expected }
      }
      replicas = store && createKeyReplicas({ clock, store, fleet })
      timer = setInterval(round, roundMs).unref()
      void round()
    },
    async close() {
      clearInterval(timer)
      await book.close()
    },
  }
}

/** The same sentence again only after another one. */
function onceEach(tell: (reason: string) => void): (reason: string) => void {
  let told = ''
  return (reason) => {
    if (reason !== told) tell(reason)
    told = reason
  }
}
