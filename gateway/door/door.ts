// What takes connections in and has their requests answered.
// The danger it guards against: two doors that differ in what may be asked of them.
import type { Socket } from 'node:net'
import type { FailureCode } from '../errors.ts'
import type { Journey } from './journey.ts'
import type { SendPorts } from './send.ts'

export interface DoorPorts extends SendPorts {
  /** One for all doors: what it notices of its peers it says once. */
  readonly journey: Journey
  /** The longest a head may take to arrive (slowloris). */
  readonly headTimeoutMs: number
  /** The longest a client may take nothing of what waits for it. */
  readonly stallMs: number
  /** A request that never became an Exchange. */
  refused(code: FailureCode): void
}

export interface Door {
  /** Takes over a connection, plain or TLS, of which nothing has been read. */
  take(socket: Socket): void
  /** How long an idle connection is kept. */
  keepIdle(ms: number): void
  closeIdle(): void
  /** Tells those whose protocol has a word for it (WebSocket) that we are going away. */
  leaveTunnels(): void
  /** To be called each second or so: lets go of those whose time is over. */
  sweep(): void
  /** Nobody comes any more, and nobody is left. */
  close(): void
}
