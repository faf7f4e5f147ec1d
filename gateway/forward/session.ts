// The HTTP/2 connection to a target: one carries all requests to it, until it goes away or is five minutes old.
// The danger it guards against: requests on a connection that is ending, or that leads to where the upstream no longer is.
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2'
import type { Exchange, Target } from '../model.ts'
import type { PoolPorts } from './poolPorts.ts'
import { Room } from './room.ts'
import { securedBy } from './socket.ts'

/** After this a name is resolved again. */
const mostAgeMs = 5 * 60_000

interface Opened {
  readonly session: ClientHttp2Session
  readonly openedAt: number
  readonly whenConnected: Promise<ClientHttp2Session>
}

export class Http2Pool {
  readonly #target: Target
  readonly #ports: PoolPorts
  #opened: Opened | undefined
  /** Those that still carry something, too. */
  readonly #sessions = new Set<ClientHttp2Session>()
  /** For requests: there is one connection. */
  readonly room: Room

  constructor(target: Target, ports: PoolPorts) {
    this.#target = target
    this.#ports = ports
    this.room = new Room(ports.shareOf)
  }

  /** A session that stands, once there is room for one more request, whose end `room` is to be told. Rejects when none can be had. */
  async take(guest: object, exchange: Pick<Exchange, 'upstream' | 'yields'>): Promise<ClientHttp2Session> {
    await this.room.enter(guest, exchange)
    const now = this.#ports.clock.now()
    if (this.#opened && now - this.#opened.openedAt >= mostAgeMs) this.retire()
    this.#opened ??= this.#open(now)
    return this.#opened.whenConnected
  }

  /** The next request gets a new session; what is under way on the old one goes on. */
  retire(): void {
    const session = this.#opened?.session
    this.#opened = undefined
    if (session?.connecting) session.destroy()
    else session?.close()
  }

  /** Cuts everything. */
  destroy(): void {
    this.room.close()
    this.#opened = undefined
    for (const session of this.#sessions) session.destroy()
  }

  #open(now: number): Opened {
    const { origin } = this.#target
    const session = connect(origin, this.#options())
    this.#sessions.add(session)
    const forget = () => {
      if (this.#opened?.session === session) this.#opened = undefined
    }
    const whenConnected = new Promise<ClientHttp2Session>((resolve, reject) => {
      session.once('connect', () => resolve(session))
      session.on('error', reject)
      session.once('close', () => reject(new Error('closed before it stood')))
    })
    // Whoever waits hears of it; nobody may.
    whenConnected.catch(() => {})
    session.once('goaway', forget)
    session.once('close', () => {
      this.#sessions.delete(session)
      forget()
    })
    return { session, openedAt: now, whenConnected }
  }

  #options(): SecureClientSessionOptions {
    const { lookup, contextOf } = this.#ports
    const options = { lookup, settings: { enablePush: false } }
    return this.#target.secure ? { ...options, ...securedBy(this.#target, contextOf) } : options
  }
}
