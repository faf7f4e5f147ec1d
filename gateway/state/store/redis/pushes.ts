// The connection over which Redis says that something has changed.
// The danger it guards against: a connection that only listens, and does not notice that the other end is gone. What goes by
// meanwhile is found by looking (documents.ts).
import { Redis } from 'ioredis'
import type { StoreOptions } from '../port.ts'
import type { RedisAddress } from '../url.ts'
import { backOff, clientOptions } from './client.ts'

export interface Pushes {
  /** Connects anew. */
  renew(): void
  close(): void
}

export function subscribeTo(
  address: RedisAddress,
  channel: string,
  { random }: Pick<StoreOptions, 'random'>,
  onMessage: (message: string) => void,
): Pushes {
  // Counted here, for the client's own count starts again with each connection, subscribed or not.
  let failures = 0
  const redis = new Redis(clientOptions(address, () => backOff(++failures, random)))
  const isConnected = () => redis.status === 'ready'
  // What goes wrong here goes wrong with the questions too, and is said there.
  redis.on('error', () => {})
  redis.on('message', (_channel, message) => onMessage(message))
  redis.on('ready', () => {
    redis.subscribe(channel).then(
      () => {
        failures = 0
      },
      () => isConnected() && redis.disconnect(true),
    )
  })
  return {
    renew: () => isConnected() && redis.disconnect(true),
    close: () => redis.disconnect(),
  }
}
