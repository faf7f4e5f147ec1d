// The routes.yaml of each variant of Banyan. The danger it guards against: a variant that is measured with less than it says.
import { join } from 'node:path'
import { audience, issuer } from './bearer.ts'

export interface BanyanPlan {
  readonly port: number
  readonly originPort: number
  readonly folder: string
  readonly log?: boolean
  readonly filters?: boolean
  /** Keys of a route that takes all that is asked; `keys.json` beside the file has the issuer's keys. */
  readonly route?: string
}

export function banyanRoutes({ port, originPort, folder, log = false, filters = false, route }: BanyanPlan): string {
  return `public: { host: 127.0.0.1, port: ${port}, trustedProxies: [${filters ? '127.0.0.0/8' : ''}] }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
stateDir: ${join(folder, 'state')}
accessLog: ${log ? `{ file: ${join(folder, 'access.log')} }` : 'off'}
upstreams:
  monolith: { url: "http://127.0.0.1:${originPort}" }
${filters ? `  service: { url: "http://127.0.0.1:${originPort}" }\n` : ''}unmatched: monolith
${filters ? `routes:\n${filteredRoutes()}` : ''}${route === undefined ? '' : oneRoute(route)}`
}

function oneRoute(keys: string): string {
  const more = keys === '' ? '' : `, ${keys}`
  return `issuers: [{ issuer: "${issuer}", jwks: keys.json, audience: [${audience}], algorithms: [RS256] }]
routes: [{ name: bench, match: { path: /bench/* }, upstream: monolith${more} }]
`
}

/** A table of twenty routes, of which the last is the one that is asked: it has moved, and all of its requests are rewritten. */
function filteredRoutes(): string {
  const others = Array.from({ length: 19 }, (_, i) => {
    const path = i % 2 === 0 ? `/api/part${i}/*` : `/api/part${i}/:id/items`
    return `  - { name: part${i}, match: { path: "${path}", methods: [GET, POST] }, upstream: service }`
  })
  const asked = `  - name: bench
    match: { path: /bench/* }
    move:
      to: service
      stage: live
      rewrite:
        path: /bench
        request: { set: { x-origin: banyan }, remove: [x-internal] }
        answer: { set: { x-served: service }, remove: [x-powered-by] }
`
  return `${others.join('\n')}\n${asked}`
}
