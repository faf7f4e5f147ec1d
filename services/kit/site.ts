// What a system says of itself to the server that it stands on.
// The danger it guards against: a system that must know how it is served.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { ServiceName, Visit } from './visit.ts'

export interface Upgrades {
  /** Whether this request leaves HTTP; all others are answered as if they had no Upgrade (RFC 9110 §7.8). */
  wants(request: IncomingMessage): boolean
  accept(visit: Omit<Visit, 'response'>, socket: Socket, head: Buffer): void
}

export interface Site {
  readonly service: ServiceName
  readonly host?: string
  /** 0 takes a free one. */
  readonly port: number
  answer(visit: Visit): void | Promise<void>
  readonly upgrades?: Upgrades
  /** After the last request has ended. */
  close?(): void | Promise<void>
}
