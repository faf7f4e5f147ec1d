// What knows who clients are and how much they may: issuers, keys of ours, sessions and limits, put together.
// The danger it guards against: a key that is revoked in one place and good in another.

import type { Forward } from './forward/forward.ts'
import { assembleIssuing, type Issuing } from './issuing.ts'
import type { Services } from './model/ports.ts'
import type { Clock, Snapshot } from './model.ts'
import { authMetrics } from './ops/authMetrics.ts'
import { limitMetrics } from './ops/limitMetrics.ts'
import type { Log } from './ops/log.ts'
import type { ReadMetric } from './ops/readMetric.ts'
import type { Record } from './ops/record.ts'
import { createAuthCounts } from './state/authCounts.ts'
import { createCredentials } from './state/credentials.ts'
import { createLimits, type LimitBook } from './state/limits/limits.ts'
import { createScreening } from './state/screening.ts'
import { createSessions } from './state/sessions.ts'
import type { Sharing } from './state/sharing.ts'
import { realSchedule } from './state/streams.ts'
import { createTokens, type TokenBook } from './state/tokens/book.ts'
import type { IssuerView } from './state/tokens/issuers.ts'
import { createKeyMirror, type KeyMirror } from './state/tokens/keyMirror.ts'
import type { KeyChange } from './state/tokens/keyRing.ts'
import { createTokenStreams } from './state/tokens/tokenStreams.ts'

export interface Identifying {
  /** What filters are given of it. */
  readonly ports: Pick<Services, 'credentials' | 'limits'>
  readonly limitCounts: LimitBook['counts']
  readonly desk: Issuing['desk']
  /** What break-glass.yaml denies. */
  readonly denyKeys: Issuing['book']['deny']
  readonly metrics: readonly ReadMetric[]
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Snapshot): void
  /** Sentences for operators. */
  hints(): readonly string[]
  /** Once, when stateDir is known. */
  open(stateDir: string): Promise<void>
  close(): Promise<void>
}

/** What it stands on. */
export interface IdentifyingParts {
  readonly clock: Clock
  readonly log: Pick<Log, 'life'>
  readonly record: Pick<Record, 'refused' | 'audit'>
  readonly sharing: Pick<Sharing, 'store' | 'view' | 'fleetSize'>
  readonly forward: Forward
}

export function assembleIdentifying(parts: IdentifyingParts): Identifying {
  const { clock, log, record, sharing, forward } = parts
  const issuing = assembleIssuing(parts)
  const keyMirror = createKeyMirror((thrown) =>
    log.life.error({ reason: String(thrown) }, 'keys of issuers are not kept'),
  )
  const tokens = watchedTokens(clock, log, keyMirror)
  const sessions = createSessions({ clock, forward })
  const screening = createScreening(clock)
  const counts = createAuthCounts()
  const credentials = createCredentials({
    ...{ clock, tokens, keys: issuing.book, sessions, screening, counts },
    endAt: createTokenStreams({ clock, schedule: realSchedule }),
    refused: record.refused,
  })
  const limits = createLimits({ clock, store: sharing.store, gateways: sharing.fleetSize })
  return {
    ports: { credentials, limits },
    limitCounts: limits.counts,
    desk: issuing.desk,
    denyKeys: (ids) => issuing.book.deny(ids),
    metrics: [...authMetrics({ counts, tokens, screening }), ...issuing.metrics, ...limitMetrics(limits)],
    follow(snapshot) {
      issuing.follow(snapshot)
      // Before the issuers are asked.
      keyMirror.open(snapshot.settings.stateDir)
      tokens.follow(snapshot.settings.issuers ?? [])
      sessions.follow(snapshot)
      credentials.follow(snapshot)
      limits.follow(snapshot)
    },
    hints: () => [...tokens.views().flatMap(hintOf), ...issuing.book.troubles()],
    open: issuing.open,
    async close() {
      await issuing.close()
      await tokens.close()
    },
  }
}

/** The tokens, of whose issuers is told when their keys change, or cannot be had. */
function watchedTokens(clock: Clock, { life }: Pick<Log, 'life'>, mirror: KeyMirror): TokenBook {
  return createTokens({
    clock,
    schedule: realSchedule,
    mirror,
    changed(issuer: string, { trouble, ...change }: KeyChange) {
      if (trouble !== undefined) life.error({ issuer, reason: trouble }, 'the issuer gives no keys')
      else life.info({ issuer, ...change }, "the issuer's keys were taken over")
    },
  })
}

function hintOf({ issuer, trouble, isTrusted, givenAtMs }: IssuerView): readonly string[] {
  if (trouble === undefined) return []
  const last = givenAtMs === undefined ? 'it never has' : `its last ones are of ${new Date(givenAtMs).toISOString()}`
  const so = isTrusted ? 'its last keys are still good' : 'its tokens are answered 503'
  return [`the issuer ${issuer} gives no keys (${trouble}); ${last}, and ${so}`]
}
