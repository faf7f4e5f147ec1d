// Whose turn it is on a connection: one request at a time, in order (RFC 9112 §9.3.2), although Node hands out all it has parsed.
// The dangers it guards against: two unsafe requests that run at once, one connection that takes every place at an upstream, and
// bytes that we write past a response under way, and that its client takes for that response.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

export interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Whether the client has been told to go on with its body (RFC 9110 §15.2.1). */
  isInvited?: boolean
}

export interface Turns {
  /** A connection has brought another request. @returns when its turn has come; undefined when that is now */
  begin(turn: Turn): Promise<void> | undefined
  /** The newest request of a connection; its response is the last one that the connection owes. */
  newest(socket: Duplex): Turn | undefined
  /** The request whose turn it is, or was last. */
  current(socket: Duplex): Turn | undefined
  isFree(socket: Duplex): boolean
  /** Once all responses that the connection owes have gone out; at once if it owes none. */
  whenFree(socket: Duplex, then: () => void): void
}

/** So many requests may wait on a connection before it is read no further; until then its end is noticed at once. */
const mostWaiting = 100

interface Line {
  current: Turn
  newest: Turn
  /** How many answers the connection owes. */
  owed: number
}

export function createTurns(): Turns {
  const lines = new WeakMap<Duplex, Line>()
  const isFree = (socket: Duplex) => lines.get(socket)?.newest.response.closed ?? true
  return {
    begin(turn) {
      const { socket } = turn.request
      const line = lines.get(socket) ?? { current: turn, newest: turn, owed: 0 }
      const earlier = line.newest.response
      line.newest = turn
      line.owed += 1
      lines.set(socket, line)
      // Not at once: Node resumes the socket behind each request that it has parsed to its end.
      queueMicrotask(() => {
        if (line.owed > mostWaiting) socket.pause()
      })
      turn.response.once('close', () => {
        line.owed -= 1
        if (line.owed === mostWaiting) socket.resume()
      })
      if (line.owed > 1) return new Promise<void>((resolve) => earlier.once('close', resolve)).then(come)
      come()
      return undefined

      function come(): void {
        line.current = turn
      }
    },
    current: (socket) => lines.get(socket)?.current,
    newest: (socket) => lines.get(socket)?.newest,
    isFree,
    whenFree(socket, then) {
      if (isFree(socket)) then()
      else lines.get(socket)?.newest.response.once('close', then)
    },
  }
}
