// What `status` says of keys: how they stand, and which replica is the last to hear of a revocation.
// The danger it guards against: a replica that is deaf to revocations, and looks like all the others.
import { works } from '../identity/keyRecord.ts'
import type { KeyProgress } from '../state/keys/keyReplicas.ts'
import type { Gateway } from './gateway.ts'

export interface KeyStatus {
  /** How many there are of each, without those that there are none of. */
  readonly standings: Readonly<Record<string, number>>
  /** Of those that work: their hash waits for their next use to come under the newest pepper. */
  readonly underOldPepper: number
  /** How long this gateway has heard nothing of revocations; 0 when nothing is shared. */
  readonly silentSeconds: number
  /** The worst first; empty when nothing is shared, or nobody can be asked. */
  readonly replicas: readonly ReplicaKeys[]
}

interface ReplicaKeys {
  readonly id: string
  /** Absent: it says nothing. */
  readonly silentSeconds?: number
  /** Whether others have revocations in force that it has not. */
  readonly isBehind: boolean
}

export async function keyStatus({ keys }: Pick<Gateway, 'keys'>): Promise<KeyStatus> {
  const sights = keys.sights()
  const standings: Record<string, number> = {}
  for (const { standing } of sights) standings[standing] = (standings[standing] ?? 0) + 1
  return {
    standings,
    underOldPepper: sights.filter((sight) => works(sight.standing) && !sight.isUnderNewestPepper).length,
    silentSeconds: Math.round(keys.silentMs() / 1000),
    replicas: worstFirst((await keys.progress()) ?? new Map()),
  }
}

function worstFirst(all: ReadonlyMap<string, KeyProgress | undefined>): readonly ReplicaKeys[] {
  const newest = Math.max(0, ...[...all.values()].map((progress) => progress?.applied ?? 0))
  const silence = (id: string) => all.get(id)?.silentMs ?? Number.POSITIVE_INFINITY
  return [...all]
    .sort(([a, one], [b, other]) => silence(b) - silence(a) || (one?.applied ?? 0) - (other?.applied ?? 0))
    .map(([id, progress]) => ({
      id,
      ...(progress && { silentSeconds: Math.round(progress.silentMs / 1000) }),
      isBehind: (progress?.applied ?? -1) < newest,
    }))
}
