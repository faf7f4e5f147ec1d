// Requests of the gateway's own clients to origins that a test scripts, without a gateway around them.
// The danger it guards against: tests that wait for time. The pools' clock stands still unless a test moves it, and so do time
// limits from `freezeTime` on.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { onTestFinished, vi } from 'vitest'
import { Failure } from '../../gateway/errors.ts'
import { createForward, type Forward } from '../../gateway/forward/forward.ts'
import { createPools, type Pools } from '../../gateway/forward/pools.ts'
import { createResolver } from '../../gateway/forward/resolve.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Answer, ClientConnection, Clock, Exchange, Target, Upstream } from '../../gateway/model.ts'
import { sharer } from '../../gateway/state/sharing/fleetSize.ts'

export interface Asked {
  readonly answer: Promise<Answer>
  /** Interim answers so far: status, then name, value … */
  readonly informed: readonly (number | string)[][]
  /** The client leaves. */
  leave(): void
}

export type Asking = Partial<Pick<Exchange, 'method' | 'target' | 'body' | 'trailers' | 'upgrade'>> & {
  /** name, value … */
  readonly raw?: readonly string[]
  readonly connection?: ClientConnection
}

export interface World {
  readonly pools: Pools
  readonly clock: Clock
  readonly forward: Forward
  advance(ms: number): void
  /** The fleet has so many from now on. */
  beOneOf(gateways: number): void
  ask(upstream: Upstream, asking?: Asking): Asked
}

export function openWorld(lookup = createResolver()): World {
  let gateways = 1
  let ms = 1_000_000
  const clock = { now: () => ms, wall: () => ms }
  const pools = createPools({ clock, lookup, contextOf: () => undefined, shareOf: sharer(() => gateways) })
  const forward = createForward({ clock, pools })
  return {
    pools,
    clock,
    forward,
    advance(by) {
      ms += by
    },
    beOneOf(count) {
      gateways = count
    },
    ask(upstream, asking = {}) {
      const { exchange, ...asked } = exchangeOf(upstream, asking)
      const answer = forward(exchange)
      // A test may look at a failure later than it comes.
      answer.catch(() => {})
      return { ...asked, answer }
    },
  }
}

export function upstreamTo(port: number, over: Partial<Upstream> = {}, scheme = 'http'): Upstream {
  const target = targetAt(port, scheme)
  return {
    name: 'old',
    target,
    targets: [target],
    connectMs: 5_000,
    firstByteMs: 5_000,
    idleMs: 5_000,
    protocol: 'http1',
    maxConnections: 10,
    maxPending: 1_024,
    ...over,
  }
}

export function targetAt(port: number, scheme = 'http'): Target {
  const origin = `${scheme}://127.0.0.1:${port}`
  return { origin, secure: scheme === 'https', host: '127.0.0.1', port, verify: false }
}

export function exchangeOf(upstream: Upstream, { raw = ['Host', 'h'], connection, ...asking }: Asking = {}) {
  const informed: (number | string)[][] = []
  const listeners: (() => void)[] = []
  const route = {
    name: 'all',
    match: { path: '/*' },
    position: { line: 1, column: 1 },
    upstream,
    keepBodyBytes: 0,
    filters: [],
    run: () => Promise.reject(new Error('no pipeline here')),
  }
  const exchange: Exchange = {
    id: 'id',
    receivedAt: 0,
    method: 'GET',
    target: '/',
    path: '/',
    body: undefined,
    fields: fieldsOf(raw),
    client: {
      address: '127.0.0.1',
      peer: '127.0.0.1',
      peerTrusted: false,
      tls: false,
      ...(connection && { connection }),
    },
    route,
    upstream,
    role: 'primary',
    onGone: (listener) => listeners.push(listener),
    inform: (status, fields) => informed.push([status, ...fields.raw]),
    ...asking,
  }
  return {
    exchange,
    informed,
    leave() {
      for (const listener of listeners) listener()
    },
  }
}

/** The body of an answer, latin1; rejects when it breaks. */
export async function bodyOf({ body }: Answer): Promise<string> {
  return body instanceof Readable ? (await buffer(body)).toString('latin1') : (body?.toString('latin1') ?? '')
}

/** What became of it: `status body`, or the code of the failure, `status broken` when the body broke off. */
export async function resultOf({ answer }: Asked): Promise<string> {
  try {
    const got = await answer
    return await bodyOf(got).then(
      (body) => `${got.status} ${body}`,
      () => `${got.status} broken`,
    )
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown
    return `${thrown.code} by ${thrown.blame}${thrown.mayHaveRun ? '' : ', unsent'}`
  }
}

/** A client connection that a test can close. */
export function clientConnection(): ClientConnection & { close(): void } {
  const listeners: (() => void)[] = []
  return {
    onClose: (listener) => {
      listeners.push(listener)
    },
    close() {
      for (const listener of listeners) listener()
    },
  }
}

/** From now on no time limit passes but in `passing`, however long the machine takes for all else. */
export function freezeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
}

/** Lets frozen time pass, a little in each round of the event loop, until that is settled. */
export async function passing<T>(settling: Promise<T>): Promise<T> {
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  settling.then(settle, settle)
  await until(() => {
    if (!isSettled) vi.advanceTimersByTime(10)
    return isSettled
  })
  return settling
}

/** Resolves once it is true, within half a minute; looks again whenever the process has done something. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 30_000
  while (!isSo()) {
    if (Date.now() > giveUpAt) throw new Error('it never came true')
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
