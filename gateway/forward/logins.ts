// Connections that carry one client's login (NTLM, Negotiate), and serve nobody else's requests.
// The dangers it guards against: one user's login that serves another, and idle clients whose logins hold every connection there may be.
import type { ClientConnection } from '../model.ts'
import type { Connection } from './connection.ts'

/** A login is several requests with a client's way in between: so long nobody takes its connection. */
const loginRestMs = 1_000

export class Logins {
  readonly #connections = new Map<object, Connection>()
  readonly #restingSince = new WeakMap<Connection, number>()

  /** That client's own connection, if it can be given a request. */
  of(client: object | undefined): Connection | undefined {
    const connection = client && this.#connections.get(client)
    return connection?.isFree ? connection : undefined
  }

  /** From now on that connection, which carries an answer, carries only that client connection's requests. */
  pin(connection: Connection, client: ClientConnection): void {
    client.hasLogin = true
    if (connection.pinnedTo) return
    connection.pinnedTo = client
    const earlier = this.#connections.get(client)
    this.#connections.set(client, connection)
    // One listener for a client, however many logins its upstream makes it repeat.
    if (earlier) abandon(earlier)
    else client.onClose(() => this.#forget(client))
  }

  /** Its answer has ended. */
  rest(connection: Connection, now: number): void {
    this.#restingSince.set(connection, now)
  }

  /** Ends a login that rests: keeping a client connection open must not keep everybody else from the upstream. */
  giveWay(now: number): void {
    for (const connection of this.#connections.values()) {
      const since = this.#restingSince.get(connection) ?? now
      if (!connection.isFree || now - since < loginRestMs) continue
      connection.destroy()
      return
    }
  }

  #forget(client: object): void {
    this.#connections.get(client)?.socket.destroy()
    this.#connections.delete(client)
  }
}

/** The client has another now. */
function abandon(connection: Connection): void {
  if (connection.isFree) connection.destroy()
  else connection.isSpent = true
}
