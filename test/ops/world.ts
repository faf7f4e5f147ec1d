// A Snapshot, an Exchange and a Report as the data path would hand them over, and a clock that stands still.

import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf, noFields } from '../../gateway/message/fields.ts'
import type { Report } from '../../gateway/model/ports.ts'
import type {
  Answer,
  Clock,
  CoreSettings,
  End,
  Exchange,
  Outcome,
  Route,
  Snapshot,
  Stage,
  Upstream,
} from '../../gateway/model.ts'
import type { Gateway } from '../../gateway/ops/gateway.ts'
import { createKeyDesk } from '../../gateway/ops/keyDesk.ts'
import { createKeys } from '../../gateway/state/keys/keys.ts'
import { createRollouts } from '../../gateway/state/rollouts.ts'
import { createTraffic } from '../../gateway/state/traffic.ts'
import { rolloutOf } from '../rollout/declared.ts'

export interface FrozenClock extends Clock {
  advance(byMs: number): void
}

export function frozenClock(wall = Date.parse('2026-01-02T03:04:05Z')): FrozenClock {
  let passed = 0
  return {
    now: () => passed,
    wall: () => wall + passed,
    advance(byMs) {
      passed += byMs
    },
  }
}

export function upstreamAt(name: string, port = 1, scheme = 'http'): Upstream {
  const host = '127.0.0.1'
  const target = { origin: `${scheme}://${host}:${port}`, secure: scheme === 'https', host, port, verify: true }
  const limits = { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, maxConnections: 10, maxPending: 10 }
  const upstream = { name, target, targets: [target], protocol: 'http1' as const, ...limits }
  return upstream
}

export const monolith = upstreamAt('monolith')
export const search = upstreamAt('search')

export function routeOf(name: string, stage?: Stage, from = monolith, to = search): Route {
  return {
    name,
    match: { path: `/${name}` },
    position: { line: 1, column: 1 },
    ...(stage && { move: { from, to, stage, rollout: rolloutOf(name, { stage }) } }),
    upstream: stage === 'live' || stage === 'final' ? to : from,
    keepBodyBytes: 0,
    filters: ['observe', 'attempt'],
    run: async () => {
      throw new Error('not run here')
    },
  }
}

const settings: CoreSettings = {
  public: { host: '127.0.0.1', port: 0, trustedProxies: [], keepAliveMs: 1000, drainMs: 1000, certificates: [] },
  probes: { host: '127.0.0.1', port: 0 },
  admin: { host: '127.0.0.1', port: 0, tokens: [] },
  stateDir: '/nonexistent',
  store: { state: 'memory:', cache: 'memory:' },
  replicas: 1,
  keys: { env: 'live', maxAgeMs: 7_776_000_000, warnMs: 1_209_600_000, overlapMs: 604_800_000 },
  signing: { issuer: 'banyan', lifeMs: 300_000, rotateMs: 2_592_000_000, algorithm: 'ES256', isPublic: false },
  paths: { case: 'exact', trailingSlash: 'distinct', semicolon: 'distinct' },
  accessLog: 'off',
}

export function snapshotOf(
  parts: Partial<Omit<Snapshot, 'upstreams'>> & { upstreams?: readonly Upstream[] } = {},
): Snapshot {
  const unmatched = parts.unmatched ?? routeOf('unmatched')
  return {
    revision: 1,
    hash: '0123456789ab',
    loadedAt: Date.parse('2026-01-02T03:00:00Z'),
    settings,
    routes: [],
    rollouts: new Map(),
    warnings: [],
    match: () => ({ route: unmatched, path: '/' }),
    ...parts,
    unmatched,
    upstreams: new Map((parts.upstreams ?? [monolith, search]).map((upstream) => [upstream.name, upstream])),
  }
}

export function withAccessLog(snapshot: Snapshot, accessLog: CoreSettings['accessLog']): Snapshot {
  return { ...snapshot, settings: { ...snapshot.settings, accessLog } }
}

export interface ReportParts {
  route?: Route
  exchange?: Partial<Exchange>
  answer?: Partial<Pick<Answer, 'status' | 'by' | 'upstream' | 'failure' | 'fallback' | 'standing'>>
  end?: Partial<End>
}

export function reportOf({ route = routeOf('search', 'live'), exchange, answer, end }: ReportParts = {}): Report {
  return {
    exchange: {
      id: 'id-1',
      receivedAt: 0,
      method: 'GET',
      target: '/search',
      path: '/search',
      fields: noFields,
      body: undefined,
      client: { address: '192.0.2.7', peer: '127.0.0.1', peerTrusted: true, tls: false },
      route,
      upstream: route.upstream,
      role: 'primary',
      onGone: () => {},
      inform: () => {},
      ...exchange,
    },
    answer: {
      ...answerOf(
        { status: 200, reason: '', fields: fieldsOf([]), body: undefined, by: 'upstream', ...answer },
        () => 0,
      ),
      standing: answer?.standing,
    },
    end: { how: 'complete', bodyBytes: 12, at: 25, ...end },
  }
}

export function outcomeOf(parts: Partial<Outcome> = {}): Outcome {
  return {
    exchangeId: 'id-1',
    route: 'search',
    upstream: 'search',
    role: 'primary',
    totalMs: 3,
    end: 'complete',
    ...parts,
  }
}

/** Of a gateway that has issued none. */
const noKeys: Gateway['keys'] = createKeyDesk({
  book: createKeys({ clock: { now: () => 0, wall: () => 0 }, onApplied: () => {}, onTrouble: () => {} }),
  record: { audit: () => {} },
  replicas: () => undefined,
  expected: () => 1,
})

export function gatewayOf(parts: Partial<Gateway> = {}): Gateway {
  return {
    version: '0.0.0-test',
    keys: noKeys,
    published: () => ({ keys: [] }),
    startedAt: Date.parse('2026-01-02T03:00:00Z'),
    rollouts: createRollouts(
      () => 0,
      () => {},
    ),
    traffic: createTraffic(frozenClock()),
    evidence: { verdictOf: () => undefined, comparedOf: () => undefined },
    snapshot: () => snapshotOf(),
    servedText: async () => undefined,
    read: async () => ({ problems: [], value: undefined }),
    history: async () => [],
    comparisonsOf: () => undefined,
    record: { audit: () => {}, refused: () => {}, heads: async () => [] },
    problems: () => [],
    hints: () => [],
    sharing: { unconfirmed: async () => [], view: async () => ({ id: 'here', store: { is: 'memory' }, replicas: [] }) },
    caches: {
      purge: async () => ({ keys: 0, isTold: true }),
      counts: () => new Map(),
      purges: () => ({ order: 0, write: 0, log: 0 }),
      near: () => ({ keys: 0, bytes: 0, hit: 0, miss: 0 }),
      far: () => undefined,
    },
    breakers: () => [],
    limits: () => new Map(),
    pressure: () => ({ lagMs: 0, shed: { yielding: 0, unsafe: 0, safe: 0 } }),
    loadOf: ({ maxConnections }) => ({ open: 0, waiting: 0, most: maxConnections }),
    watchOf: () => ({ targets: [] }),
    balanceOf: ({ targets }) => ({
      targets: targets.map(({ origin }) => ({ origin, isUp: true, warmth: 1, active: 0, open: 0, unreached: 0 })),
      moved: 0,
    }),
    isDraining: () => false,
    reload: async () => ({ accepted: true, revision: 2, problems: [] }),
    ...parts,
  }
}

/** A server of our own on a free port. */
export async function listen(serving: RequestListener | Server): Promise<{ port: number; close(): Promise<void> }> {
  const server = typeof serving === 'function' ? createServer(serving) : serving
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
