// Connections that have been used once and then stay open, as browsers and load balancers leave them.
// The danger it guards against: counting connections that the proxy has long closed, or never accepted, as cheap ones.
import { readFileSync } from 'node:fs'
import { type Connection, complaintAbout, openConnection } from './client.ts'
import { type Ask, requestOf } from './scenarios.ts'

export interface IdleConnections {
  /** @throws Error unless all of them are still open */
  check(): void
  close(): void
}

/** A listen queue holds few that connect at the same time. */
const atATime = 50

/** Opens so many, each with one request answered rightly. @throws Error when one is not */
export async function openIdle(port: number, ask: Ask, count: number): Promise<IdleConnections> {
  const request = requestOf(ask, port)
  const open: Connection[] = []
  const close = () => {
    for (const connection of open) connection.close()
  }
  const openOne = () =>
    new Promise<void>((resolve, reject) => {
      const connection = openConnection(port)
      open.push(connection)
      connection.ask(request, (answer) => {
        const complaint = complaintAbout(answer, ask)
        if (complaint === undefined) resolve()
        else reject(new Error(complaint))
      })
    })
  try {
    while (open.length < count) {
      await Promise.all(Array.from({ length: Math.min(atATime, count - open.length) }, openOne))
    }
  } catch (error) {
    close()
    throw error
  }
  const check = () => {
    const closed = open.filter((connection) => !connection.isOpen).length
    if (closed > 0) throw new Error(`${closed} of ${count} idle connections were closed`)
  }
  return { check, close }
}

/** As many of those as the limit of open files lets both sides have: a proxy may set aside two files for each. */
export function mostIdle(wanted: number): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return limit === undefined ? wanted : Math.min(wanted, Math.floor((Number(limit) - 500) / 2))
}
