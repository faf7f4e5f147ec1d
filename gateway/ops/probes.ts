// The probe listener for load balancers and orchestrators: /healthz and /readyz alone.
// The danger it guards against: a probe port that tells strangers more than whether to send traffic here.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Gateway } from './gateway.ts'
import type { Health, UpstreamHealth } from './health.ts'

export interface Readiness {
  /** 503 only before the first Snapshot and while draining. */
  readonly status: 200 | 503
  readonly body: {
    readonly ready: boolean
    readonly why?: string
    readonly revision?: number
    readonly upstreams: readonly UpstreamHealth[]
  }
}

export async function readinessOf(gateway: Gateway, health: Health): Promise<Readiness> {
  const snapshot = gateway.snapshot()
  if (!snapshot) return unready('no routes.yaml has been accepted yet')
  if (gateway.isDraining()) return unready('draining')
  const upstreams = await health.upstreams(snapshot)
  return { status: 200, body: { ready: true, revision: snapshot.revision, upstreams } }
}

function unready(why: string): Readiness {
  return { status: 503, body: { ready: false, why, upstreams: [] } }
}

/** A server that does not listen yet. */
export function createProbes(gateway: Gateway, health: Health): Server {
  return createServer(async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, { title: 'GET or HEAD only.' })
    const path = request.url?.split('?', 1)[0]
    if (path === '/healthz') return send(response, 200, { alive: true })
    if (path !== '/readyz') return send(response, 404, { title: 'Only /healthz and /readyz are here.' })
    const { status, body } = await readinessOf(gateway, health)
    send(response, status, body)
  })
}

function send(response: ServerResponse, status: number, body: object): void {
  const isProblem = 'title' in body
  response.writeHead(status, {
    'Content-Type': isProblem ? 'application/problem+json' : 'application/json',
    'Cache-Control': 'no-store',
    ...(status === 405 && { Allow: 'GET, HEAD' }),
  })
  response.end(`${JSON.stringify(isProblem ? { ...body, status } : body)}\n`)
}
