// `node load-tests/rotation/vault.ts`: an upstream that answers whoever has one of its secrets, and says what it was told of clients.
// The danger it guards against: an upstream that goes on taking an old secret, so that a rotation which failed is not seen.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What it answers: who asked how, and the body that came. */
export function vaultAnswer(method: string, body: string): string {
  return `${method} ${body}`
}

/** For the run itself, which does not come through the gateway. */
export const controls = { secrets: '/control/secrets', token: '/control/token' } as const

function main(): void {
  let secrets: ReadonlySet<string> = new Set()
  let token = ''
  const answer = async (request: IncomingMessage): Promise<[status: number, body: string]> => {
    const body = await text(request)
    if (request.url === controls.token) return [200, token]
    if (request.url === controls.secrets) {
      secrets = new Set(body.split('\n').map((secret) => `Bearer ${secret}`))
      return [200, '']
    }
    token = String(request.headers['banyan-token'] ?? '')
    return secrets.has(request.headers.authorization ?? '')
      ? [200, vaultAnswer(request.method ?? '', body)]
      : [401, 'who are you?']
  }
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    // A client that leaves before its body has come is told nothing.
    answer(request).then(
      ([status, body]) => response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) }).end(body),
      () => response.destroy(),
    )
  })
  process.once('SIGTERM', () => process.exit(0))
  server.listen(0, '127.0.0.1', () => {
    console.log(`vault listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
}

if (process.argv[1] === import.meta.filename) main()
