// The connection that a Redis store asks its questions over.
// The danger it guards against: requests that wait for a Redis that is gone or frozen, one after another and each in full.
import { Redis } from 'ioredis'
import { StoreDown, type StoreOptions, type StoreState } from '../port.ts'
import type { RedisAddress } from '../url.ts'
import { backOff, clientOptions, usualPace } from './client.ts'

export interface Connection {
  /** Rejects with StoreDown alone: at once while the store is down, else within that time. */
  ask<T>(command: (redis: Redis) => Promise<T>, withinMs?: number): Promise<T>
  state(): StoreState
  onState(listener: (state: StoreState) => void): () => void
  /** When it was up, or had failed, for the first time. */
  readonly tried: Promise<void>
  close(): void
}

type ConnectionOptions = Pick<StoreOptions, 'clock' | 'random' | 'onFailure'>

export function connectTo(address: RedisAddress, options: ConnectionOptions, pace = usualPace): Connection {
  const redis = new Redis(clientOptions(address, (attempt) => backOff(attempt, options.random, pace), pace))
  const { state, become, onState } = createState(options)
  const tried = new Promise<void>((resolve) => redis.once('ready', resolve).once('close', resolve))
  let lastError: string | undefined
  redis.on('error', ({ message }) => {
    lastError = message
  })
  const onReady = () => {
    lastError = undefined
    become('up')
  }
  const onClose = () => become('down', lastError ?? 'the connection was closed')
  redis.on('ready', onReady).on('close', onClose)

  /** One question without an answer is enough to ask no others but whether it is back. */
  function suspect(why: string): void {
    if (state().is === 'down') return
    become('down', why)
    const isConnected = () => redis.status === 'ready'
    redis.ping().then(
      // Answers come in order: whatever was asked before has been answered by now.
      () => isConnected() && become('up'),
      // Together with the connection goes what piled up before a frozen Redis.
      () => isConnected() && redis.disconnect(true),
    )
  }

  return {
    async ask(command, withinMs = pace.patientMs) {
      const { is, why = '' } = state()
      if (is === 'down') throw new StoreDown(why, false)
      const late = new StoreDown(`no answer within ${withinMs} ms`, true)
      try {
        return await settleWithin(withinMs, command(redis), late)
      } catch (thrown) {
        if (thrown === late) suspect(`no answer within ${withinMs} ms`)
        throw asStoreDown(thrown)
      }
    },
    state,
    onState,
    tried,
    close() {
      redis.off('ready', onReady).off('close', onClose)
      become('down', 'it was closed')
      redis.disconnect()
    },
  }
}

function createState({ clock, onFailure }: ConnectionOptions) {
  const listeners = new Set<(state: StoreState) => void>()
  let current: StoreState = { is: 'down', since: clock.wall(), why: 'not connected yet' }
  function tell(listener: (state: StoreState) => void): void {
    try {
      listener(current)
    } catch (thrown) {
      onFailure(thrown)
    }
  }
  return {
    state: () => current,
    become(is: StoreState['is'], why?: string): void {
      const isNews = is !== current.is
      current = { is, since: isNews ? clock.wall() : current.since, ...(why !== undefined && { why }) }
      if (isNews) for (const listener of [...listeners]) tell(listener)
    },
    onState(listener: (state: StoreState) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function settleWithin<T>(ms: number, promise: Promise<T>, late: Error): Promise<T> {
  return new Promise((resolve, reject) => {
    // Where this process stood still, the answer may be there already: it is read before.
    const timer = setTimeout(() => setImmediate(reject, late), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** What the client throws is not passed on as a cause: it carries the arguments of commands, AUTH's too. */
function asStoreDown(thrown: unknown): StoreDown {
  if (thrown instanceof StoreDown) return thrown
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
  // What Redis refuses has not run.
  return new StoreDown(message, name !== 'ReplyError')
}
