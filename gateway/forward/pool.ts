// The HTTP/1.1 connections to one target: bounded, reused while they are surely good, and opened anew every few minutes.
// The dangers it guards against: a request written on a connection that the upstream is closing, a queue without end, and a
// load balancer that has moved while we hold on to its old address.
import type { Socket } from 'node:net'
import { Failure } from '../errors.ts'
import type { ClientConnection, Exchange, Target } from '../model.ts'
import { Connection } from './connection.ts'
import { Inlet } from './inlet.ts'
import { connectionsAtOne, pendingAtOne } from './limits.ts'
import { Logins } from './logins.ts'
import type { PoolPorts } from './poolPorts.ts'
import { Queue } from './queue.ts'
import { openSocket } from './socket.ts'

/** Whoever waits for a connection. Exactly one of the two is called, unless it was cancelled. */
export interface Waiter {
  connected(connection: Connection): void
  failed(error: Error): void
}

/** Below the idle time of common servers (Node and Apache 5 s), or a request meets a connection that is being closed. */
const idleMs = 4_000
/** An upstream's own word on it is believed up to this, less a second for the way. */
const mostIdleMs = 60_000
const wayMs = 1_000
/** After this a name is resolved again. */
const mostAgeMs = 5 * 60_000

/** What of a request says which connection it may have, and when. */
type Taking = Pick<Exchange, 'upstream' | 'client' | 'yields'>

export class Pool {
  readonly #target: Target
  readonly #ports: PoolPorts
  /** The newest last: it is taken first, so that the others may expire. */
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()
  readonly #opening = new Map<Waiter, Socket>()
  readonly #waiting = new Queue<Waiter>()
  readonly #logins = new Logins()
  /** The most connections that the whole fleet may have. */
  #ofFleet = 0
  #isClosed = false

  constructor(target: Target, ports: PoolPorts) {
    this.#target = target
    this.#ports = ports
  }

  /** How many connections stand or are being made. */
  get size(): number {
    return this.#open.size + this.#opening.size
  }

  /** How many wait for one. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether it waits for one of the connections there may be, and not for a new one to stand. */
  isWaiting(waiter: Waiter): boolean {
    return this.#waiting.has(waiter)
  }

  /** @returns false when too many wait already: then the waiter hears nothing */
  take(waiter: Waiter, { upstream, client, yields = false }: Taking): boolean {
    this.#ofFleet = connectionsAtOne(upstream)
    const connection = this.#logins.of(client.connection) ?? this.#takeIdle()
    if (connection) waiter.connected(connection)
    else if (this.#hasRoom()) this.#connect(waiter)
    else return this.#wait(waiter, yields, pendingAtOne(upstream))
    return true
  }

  /** It does not want one any more. */
  cancel(waiter: Waiter): void {
    this.#waiting.delete(waiter)
    const socket = this.#opening.get(waiter)
    this.#opening.delete(waiter)
    socket?.destroy()
    // Its place may be somebody else's now.
    if (socket) this.#serveNext()
  }

  /** From now on that connection, which carries an answer, carries only that client connection's requests. */
  pin(connection: Connection, client: ClientConnection): void {
    this.#logins.pin(connection, client)
  }

  /** Closes what is idle for too long, or more than there may be now, and opens what may be. Called every second or so. */
  sweep(): void {
    const now = this.#ports.clock.now()
    let excess = this.size - this.#ports.shareOf(this.#ofFleet)
    for (const connection of [...this.#idle]) {
      if (connection.idleUntil <= now || excess > 0) connection.destroy()
      excess -= 1
    }
    while (this.#waiting.size > 0 && this.#hasRoom()) this.#serveNext()
    for (let i = 0; i < this.#waiting.size; i += 1) this.#logins.giveWay(now)
  }

  /** Lets go: what is idle closes now, what is under way after its answer. */
  retire(): void {
    this.#isClosed = true
    for (const connection of this.#open) if (connection.isFree) connection.destroy()
  }

  /** Cuts everything. Nobody waits for ever. */
  destroy(): void {
    this.retire()
    const left = [...this.#opening.keys(), ...this.#waiting.takeAll()]
    for (const socket of this.#opening.values()) socket.destroy()
    this.#opening.clear()
    for (const waiter of left) waiter.failed(new Failure('upstreamBusy', 'its connections are being cut'))
    for (const connection of this.#open) connection.socket.destroy()
  }

  #wait(waiter: Waiter, yields: boolean, most: number): boolean {
    const dropped = this.#waiting.add(waiter, yields, most)
    if (dropped === waiter) return false
    dropped?.failed(new Failure('upstreamBusy', 'others go before it, and too many wait'))
    this.#logins.giveWay(this.#ports.clock.now())
    return true
  }

  #hasRoom(): boolean {
    return this.size < this.#ports.shareOf(this.#ofFleet)
  }

  #takeIdle(): Connection | undefined {
    const now = this.#ports.clock.now()
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.isFree && connection.idleUntil > now) return connection
      connection.destroy()
    }
    return undefined
  }

  #connect(waiter: Waiter): void {
    const inlet = new Inlet()
    const socket = openSocket(this.#target, this.#ports, inlet)
    this.#opening.set(waiter, socket)
    const fail = (error: Error) => {
      if (!this.#opening.delete(waiter)) return
      waiter.failed(error)
      this.#serveNext()
    }
    socket.once('error', fail)
    socket.once(this.#target.secure ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail)
      // Cancelled while it was being made.
      if (!this.#opening.delete(waiter)) return
      const connection = new Connection(socket, inlet, this.#ports.clock.now(), this.#free)
      this.#open.add(connection)
      waiter.connected(connection)
    })
  }

  readonly #free = (connection: Connection, mayReuse: boolean): void => {
    if (!mayReuse) {
      this.#forget(connection)
      return
    }
    const now = this.#ports.clock.now()
    const oldAt = connection.openedAt + mostAgeMs
    // A login would be lost with it: the age of a pinned one is its client's.
    if (this.#isClosed || ((oldAt <= now || this.size > this.#ports.shareOf(this.#ofFleet)) && !connection.pinnedTo)) {
      connection.destroy()
      // At once: of several that come free together no more than need be are closed.
      this.#forget(connection)
      return
    }
    if (connection.pinnedTo) {
      this.#logins.rest(connection, now)
      return
    }
    connection.idleUntil = Math.min(now + idleTimeOf(connection), oldAt)
    const next = this.#waiting.next()
    if (next) next.connected(connection)
    else this.#idle.push(connection)
  }

  #forget(connection: Connection): void {
    if (!this.#open.delete(connection)) return
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#serveNext()
  }

  #serveNext(): void {
    if (!this.#hasRoom()) return
    const next = this.#waiting.next()
    if (next) this.#connect(next)
  }
}

function idleTimeOf({ keepsIdleMs }: Connection): number {
  return keepsIdleMs === undefined ? idleMs : Math.min(keepsIdleMs, mostIdleMs) - wayMs
}
