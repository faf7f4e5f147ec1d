// Keys of clients for Prometheus: how they stand against the policy, what is refused, and how far behind this gateway may be.
// The danger it guards against: a policy that is broken for weeks, and a revocation that has not come, both seen by nobody.
import { type KeyStanding, works } from '../identity/keyRecord.ts'
import type { KeyBook } from '../state/keys/keyBook.ts'
import { type ReadMetric, readMetric, single } from './readMetric.ts'

const standings: readonly KeyStanding[] = ['live', 'ageing', 'rotated', 'replaced', 'tooOld', 'expired', 'revoked']

export function keyMetrics(
  book: Pick<KeyBook, 'sights' | 'verdicts' | 'streams' | 'silentMs' | 'troubles'>,
): readonly ReadMetric[] {
  return [
    readMetric('banyan_keys', 'Keys by their standing: ageing is past warn, tooOld past maxAge.', () => {
      const sights = book.sights()
      return standings.map((standing) => ({
        labels: { standing },
        value: sights.filter((sight) => sight.standing === standing).length,
      }))
    }),
    readMetric(
      'banyan_keys_under_old_pepper',
      'Keys that work and have not been used since a newer pepper came.',
      single(
        () =>
          book.sights().filter(({ isUnderNewestPepper, standing }) => !isUnderNewestPepper && works(standing)).length,
      ),
    ),
    readMetric('banyan_key_checks_total', 'Keys that clients have sent: ok, or why not.', () =>
      [...book.verdicts()].map(([result, value]) => ({ labels: { result }, value })),
    ),
    readMetric(
      'banyan_keys_silent_seconds',
      'How long nothing could be heard of revocations elsewhere; beyond keys.staleAfter keys are answered with 503.',
      single(() => book.silentMs() / 1000),
    ),
    readMetric(
      'banyan_keys_troubles',
      'What hints of banyan status say of keys.',
      single(() => book.troubles().length),
    ),
    readMetric(
      'banyan_key_streams',
      'Open tunnels and event streams of keys.',
      single(() => book.streams().open),
    ),
    readMetric(
      'banyan_key_streams_ended_total',
      'Tunnels and event streams that were ended with their key.',
      single(() => book.streams().ended),
    ),
  ]
}
