// How every client of ioredis is set up here.
// The dangers it guards against: commands that are queued, or sent again after a reconnection, on nobody's behalf (both are the
// client's defaults), and replicas that all come back in the same instant.
import { isIP } from 'node:net'
import type { RedisOptions } from 'ioredis'
import type { RedisAddress } from '../url.ts'

/** How long is waited for a Redis. */
export interface Pace {
  /** The longest that any call takes. */
  readonly patientMs: number
  /** Between two attempts to connect. */
  readonly longestDelayMs: number
  /** Whether what is asked in the same moment is sent together: for many small questions. */
  readonly isPipelining: boolean
}

export const usualPace: Pace = { patientMs: 1000, longestDelayMs: 1000, isPipelining: false }
const firstDelayMs = 50

/** @param delayMs what the client waits before it connects for the n-th time in a row without success (n from 1) */
export function clientOptions(
  address: RedisAddress,
  delayMs: (attempt: number) => number,
  { patientMs, isPipelining }: Pace = usualPace,
) {
  const { host, port, username, password, database, secure } = address
  return {
    host,
    port,
    db: database,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    // Its certificate is verified; a name, not an address, is what SNI may say (RFC 6066 §3).
    ...(secure && { tls: isIP(host) ? {} : { servername: host } }),
    // Subscriptions over RESP3 need Redis 6 and drop some pushes; RESP2 does all that is needed here.
    protocol: 2,
    // Two commands more before the first of ours, for nobody.
    disableClientInfo: true,
    enableAutoPipelining: isPipelining,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // 0: with the connection all that waits for an answer is rejected, at once.
    maxRetriesPerRequest: 0,
    // Its own re-subscription leaves a rejection to nobody, which would end the process.
    autoResubscribe: false,
    connectTimeout: patientMs,
    // For what the client asks by itself: ours are given up before.
    commandTimeout: patientMs + 200,
    // A frozen Redis does not take part in closing a connection.
    disconnectTimeout: 50,
    maxLoadingRetryTime: 500,
    retryStrategy: delayMs,
    // After a failover the old primary may keep our connection, and refuse to write.
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  } satisfies RedisOptions
}

/** 50, 100, 200 … 1000 ms, of which the second half is left to chance. */
export function backOff(attempt: number, random: () => number, { longestDelayMs } = usualPace): number {
  const fullMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 10))
  return (fullMs * (1 + random())) / 2
}
