// Keys of clients for Prometheus: how they stand against the policy, what is refused, and how far behind this gateway may be.
// The danger it guards against: a policy that is broken for weeks, and a revocation that has not come, both seen by nobody.
import { type KeyStanding, works } from '../identity/keyRecord.ts'
import type { KeyBook } from '../state/keys/keyBook.ts'
import type { ReadMetric } from './rolloutMetrics.ts'

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const standings: readonly KeyStanding[] = ['live', 'ageing', 'rotated', 'replaced', 'tooOld', 'expired', 'revoked']

export function keyMetrics(
  book: Pick<KeyBook, 'sights' | 'verdicts' | 'streams' | 'silentMs' | 'troubles'>,
): readonly ReadMetric[] {
  const metric = (name: string, type: string, help: string, values: () => readonly Sample[]): ReadMetric => ({
    name,
    get: async () => ({ name, help, type, aggregator: 'sum', values: values() }),
  })
  const single = (value: () => number) => () => [{ labels: {}, value: value() }]
  return [
    metric('banyan_keys', 'gauge', 'Keys by their standing: ageing is past warn, tooOld past maxAge.', () => {
      const sights = book.sights()
      return standings.map((standing) => ({
        labels: { standing },
        value: sights.filter((sight) => sight.standing === standing).length,
      }))
    }),
    metric(
      'banyan_keys_under_old_pepper',
      'gauge',
      'Keys that work and have not been used since a newer pepper came.',
      single(
        () =>
          book.sights().filter(({ isUnderNewestPepper, standing }) => !isUnderNewestPepper && works(standing)).length,
      ),
    ),
    metric('banyan_key_checks_total', 'counter', 'Keys that clients have sent: ok, or why not.', () =>
      [...book.verdicts()].map(([result, value]) => ({ labels: { result }, value })),
    ),
    metric(
      'banyan_keys_silent_seconds',
      'gauge',
      'How long nothing could be heard of revocations elsewhere; beyond keys.staleAfter keys are answered with 503.',
      single(() => book.silentMs() / 1000),
    ),
    metric(
      'banyan_keys_troubles',
      'gauge',
      'What hints of banyan status say of keys.',
      single(() => book.troubles().length),
    ),
    metric(
      'banyan_key_streams',
      'gauge',
      'Open tunnels and event streams of keys.',
      single(() => book.streams().open),
    ),
    metric(
      'banyan_key_streams_ended_total',
      'counter',
      'Tunnels and event streams that were ended with their key.',
      single(() => book.streams().ended),
    ),
  ]
}
