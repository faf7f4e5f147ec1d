// Absolute URLs, built from what the client called us: Host, and the proxy's word on http or https.
// The danger it guards against: none; it is what such systems do, and why a gateway must keep Host and say X-Forwarded-Proto.
import type { IncomingMessage } from 'node:http'

/** @param path begins with a slash */
export function urlOf({ headers }: IncomingMessage, path: string): string {
  const said = headers['x-forwarded-proto']
  const first = String(said ?? 'http')
    .split(',')[0]
    ?.trim()
  return `${first === 'https' ? 'https' : 'http'}://${headers.host ?? 'localhost'}${path}`
}
