// Whose turn it is on a connection: answers go out in the order of their requests (RFC 9112 §9.3.2).
// The danger it guards against: bytes that we write past a response under way, and that its client takes for that response.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

export interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Whether the client has been told to go on with its body (RFC 9110 §15.2.1). */
  isInvited?: boolean
}

export interface Turns {
  /** A connection has brought another request. */
  begin(turn: Turn): void
  /** The newest request of a connection; its response is the last one that the connection owes. */
  newest(socket: Duplex): Turn | undefined
  isFree(socket: Duplex): boolean
  /** Once all responses that the connection owes have gone out; at once if it owes none. */
  whenFree(socket: Duplex, then: () => void): void
}

export function createTurns(): Turns {
  const turns = new WeakMap<Duplex, Turn>()
  const isFree = (socket: Duplex) => turns.get(socket)?.response.closed ?? true
  return {
    begin: (turn) => turns.set(turn.request.socket, turn),
    newest: (socket) => turns.get(socket),
    isFree,
    whenFree(socket, then) {
      if (isFree(socket)) then()
      else turns.get(socket)?.response.once('close', then)
    },
  }
}
