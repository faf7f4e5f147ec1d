// Says once of each key that it is nearly too old, and once that it is.
// The danger it guards against: a client who learns from a refusal that there was a policy.
import { endOf } from '../identity/keyRecord.ts'
import type { KeyBook } from '../state/keys/keyBook.ts'
import type { Log } from './log.ts'

/** @returns a look at all keys, to be taken now and then */
export function createKeyAlerts(book: Pick<KeyBook, 'sights' | 'policy'>, life: Log['life']): () => void {
  const told = new Set<string>()
  return () => {
    for (const { record, standing } of book.sights()) {
      if (standing !== 'ageing' && standing !== 'tooOld') continue
      const place = `${record.id} ${standing}`
      if (told.has(place)) continue
      told.add(place)
      const about = {
        key: record.id,
        owner: record.owner,
        endsAt: new Date(endOf(record, book.policy())).toISOString(),
      }
      if (standing === 'ageing') life.warn(about, `a key is nearly too old; renew it: banyan keys rotate ${record.id}`)
      else life.warn(about, `a key is too old and refused; renew it: banyan keys rotate ${record.id}`)
    }
  }
}
