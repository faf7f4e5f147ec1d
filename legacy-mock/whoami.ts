// `/api/whoami`: what arrives here of what a client and the proxies before us say.
// The danger it shows: a gateway that drops, doubles or believes a forwarding field. Of cookies only names are told.
import { type Endpoint, endpoint } from '../services/kit/router.ts'
import { sendJson, type Visit } from '../services/kit/visit.ts'
import { cookiesOf } from './sessions.ts'

const told = [
  ...['Host', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'Via', 'X-Request-Id'],
  ...['Banyan-Role', 'User-Agent'],
]

export const whoamiEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/api/whoami', (visit) => {
    const fields = Object.fromEntries(told.map((name) => [name, valuesOf(visit, name)]))
    const cookies = cookiesOf(visit.request).map(([name]) => name)
    sendJson(visit, 200, { peer: visit.request.socket.remoteAddress, fields, cookies })
  }),
]

/** All values of that field, in order: empty when it did not come. */
function valuesOf({ request }: Visit, name: string): readonly string[] {
  return request.headersDistinct[name.toLowerCase()] ?? []
}
