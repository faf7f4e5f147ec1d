// The three places where the gateway listens: clients, load balancers, operators.
// The danger it guards against: a port in use that leaves a gateway running with one of its three ears shut.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Entrance } from './door/entrance.ts'
import type { CoreSettings } from './model.ts'

export interface Listeners {
  readonly public: Entrance
  readonly probes: Server
  readonly admin: FastifyInstance
}

export type Places = Readonly<Record<keyof Listeners, AddressInfo>>

/** Opens all three. Rejects with what to do, and with none of them open, when one cannot be had. */
export async function openListeners(listeners: Listeners, settings: CoreSettings): Promise<Places> {
  const { public: door, probes, admin } = listeners
  door.keepIdle(settings.public.keepAliveMs)
  try {
    return {
      admin: await named('admin', settings.admin, () => listenWith(admin.server, settings.admin, () => admin.ready())),
      probes: await named('probes', settings.probes, () => listenWith(probes, settings.probes)),
      public: await named('public', settings.public, () => door.listen(settings.public)),
    }
  } catch (error) {
    await closeListeners(listeners)
    throw error
  }
}

export async function closeListeners({ public: door, probes, admin }: Listeners): Promise<void> {
  door.stopListening()
  door.destroy()
  const closed = [admin.close(), new Promise((resolve) => probes.close(resolve))]
  // A connection that nobody has used yet counts as busy, and would hold up the end for as long as a head may take.
  admin.server.closeAllConnections()
  probes.closeAllConnections()
  await Promise.all(closed)
}

interface Place {
  readonly host: string
  readonly port: number
}

async function named(key: keyof Listeners, place: Place, listen: () => Promise<AddressInfo>): Promise<AddressInfo> {
  try {
    return await listen()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const why = reasons[code] ?? `cannot be listened on (${code})`
    throw new Error(`${key}: port ${place.port} on ${place.host} ${why}, or change ${key}.port in routes.yaml`)
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; stop what listens there',
  EACCES: 'needs rights that this process does not have; grant them',
  EADDRNOTAVAIL: 'cannot be had, for no interface has this address; correct the host',
}

async function listenWith(server: Server, place: Place, prepare?: () => unknown): Promise<AddressInfo> {
  await prepare?.()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(place, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.address() as AddressInfo
}
