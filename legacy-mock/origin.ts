// Absolute URLs, built from what the client called us: Host, and the proxy's word on http or https. Such systems do so, and
// a gateway in front must keep Host and say X-Forwarded-Proto.
// The danger it shows: a gateway that does not sends its clients to an address that they cannot reach.
import type { IncomingMessage } from 'node:http'
import type { Visit } from '../services/kit/visit.ts'

/** @param path begins with a slash */
export function urlOf(request: IncomingMessage, path: string): string {
  return `${isTls(request) ? 'https' : 'http'}://${request.headers.host ?? 'localhost'}${path}`
}

/** Whether the client's own connection is TLS, as the first proxy says it. */
export function isTls({ headers }: IncomingMessage): boolean {
  return /^\s*https\s*(?:,|$)/i.test(String(headers['x-forwarded-proto'] ?? ''))
}

/** 302 to an absolute URL. */
export function redirect({ request, response }: Visit, path: string, cookie?: string): void {
  const location = { Location: urlOf(request, path), 'Content-Length': 0 }
  response.writeHead(302, cookie === undefined ? location : { ...location, 'Set-Cookie': cookie }).end()
}
