// Who is measured, and how each is started.
// The danger it guards against: two contestants that were not given the same to do.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BanyanPlan, banyanRoutes } from './banyanRoutes.ts'
import { keySet } from './bearer.ts'
import { caddy, haproxy, nginxProxy } from './nativeConfigs.ts'
import type { Command } from './servers.ts'

export interface Place {
  /** Where it is to listen, on 127.0.0.1. */
  readonly port: number
  readonly originPort: number
  /** Its own, empty, and gone afterwards. */
  readonly folder: string
}

export interface Contestant {
  readonly name: string
  /** The program, and Debian's package of the same name, that it cannot be started without. */
  readonly needs?: string
  /** Answers only those who are known. */
  readonly isClosed?: true
  /** Writes what it needs. @param program the file of what it `needs` */
  prepare(place: Place, program: string): Promise<Command>
}

const gateway = fileURLToPath(new URL('../../bin/banyan.js', import.meta.url))

export const contestants: readonly Contestant[] = [
  native('nginx', nginxProxy, (file) => ['-c', file]),
  native('haproxy', haproxy, (file) => ['-db', '-f', file]),
  native('caddy', caddy, (file) => ['run', '--adapter', 'caddyfile', '--config', file], { GOMAXPROCS: '1' }),
  peer('@fastify/http-proxy', 'fastify-http-proxy.ts'),
  peer('http-proxy', 'http-proxy.ts'),
  peer('http-proxy-middleware', 'http-proxy-middleware.ts'),
  peer('httpxy', 'httpxy.ts'),
  // Not a peer: what is left when nothing is read and nothing made.
  peer('node-floor', 'floor.ts'),
  banyan('banyan-general', {}, { BANYAN_DOOR: 'general' }),
  banyan('banyan', {}),
  banyan('banyan-log', { log: true }),
  banyan('banyan-filters', { filters: true }),
  // The same route without and with a check of the token, and from stock: of all, and of each identity.
  banyan('banyan-route', { route: '' }),
  { ...banyan('banyan-auth', { route: 'auth: { any: [jwt] }' }), isClosed: true },
  banyan('banyan-cache', { route: 'cache: { fresh: 1h }' }),
  {
    ...banyan('banyan-cache-own', { route: 'auth: { any: [jwt] }, cache: { fresh: 1h, per: identity }' }),
    isClosed: true,
  },
]

function native(
  name: string,
  configOf: (place: Place) => string,
  argsOf: (file: string) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Contestant {
  return {
    name,
    needs: name,
    async prepare(place, program) {
      const file = join(place.folder, 'config')
      await writeFile(file, configOf(place))
      // Caddy keeps its state below HOME.
      return { program, args: argsOf(file), env: { HOME: place.folder, XDG_DATA_HOME: place.folder, ...env } }
    },
  }
}

function peer(name: string, file: string): Contestant {
  const script = fileURLToPath(new URL(`peers/${file}`, import.meta.url))
  return {
    name,
    prepare: async ({ port, originPort }) => ({
      program: process.execPath,
      args: [script, String(originPort), String(port)],
    }),
  }
}

function banyan(
  name: string,
  variant: Pick<BanyanPlan, 'log' | 'filters' | 'route'>,
  env: Readonly<Record<string, string>> = {},
): Contestant {
  return {
    name,
    async prepare(place) {
      const file = join(place.folder, 'routes.yaml')
      await writeFile(file, banyanRoutes({ ...place, ...variant }))
      await writeFile(join(place.folder, 'keys.json'), keySet)
      return { program: process.execPath, args: [gateway, 'run', '--config', file], env }
    },
  }
}
