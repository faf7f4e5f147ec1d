// A new side that is always busy: whatever is asked of it, with retries on and with and without fallback, it is hit once.
// The danger it guards against: a gateway that multiplies the load of an upstream that says it has too much already.
import { type Client, connectTo } from '../client.ts'
import type { StartGateway } from './gateway.ts'
import { wordOf } from './matrix.ts'
import { answer, type Origin, startOrigin, wellAs } from './origins.ts'

const timeoutMs = 20_000

export interface BusyReport {
  readonly requests: number
  /** Whatever was not `answer, hits at the busy side + hits at the old side` as it must be; a sentence each. */
  readonly complaints: readonly string[]
}

interface Kind {
  readonly method: string
  /** Of the route. */
  readonly name: 'fallback' | 'none'
}

const kinds: readonly Kind[] = ['GET', 'POST', 'PUT', 'DELETE'].flatMap((method) =>
  (['fallback', 'none'] as const).map((name) => ({ method, name })),
)

/** @param perKind requests of each method to each route */
export async function runBusy(perKind: number, start: StartGateway): Promise<BusyReport> {
  const old = await startOrigin(wellAs('old'))
  const busy = await startOrigin({ requestCame: ({ socket }) => answer(socket, 503, 'busy') })
  const gateway = await start(routesOf(old, busy))
  const client = connectTo(gateway.url, timeoutMs)
  const complaints: string[] = []
  try {
    for (let nth = 0; nth < perKind; nth += 1) {
      const words = await Promise.all(kinds.map((kind) => ask(client, kind, nth)))
      kinds.forEach((kind, i) => {
        const id = idOf(kind, nth)
        const found = `${words[i]} ${hitsOf(busy, id)}+${hitsOf(old, id)}`
        if (found !== expectedOf(kind)) complaints.push(`${id}: ${found}, not ${expectedOf(kind)}`)
      })
    }
  } finally {
    client.close()
    await gateway.close()
    await Promise.all([old.close(), busy.close()])
  }
  return { requests: perKind * kinds.length, complaints }
}

async function ask(client: Client, kind: Kind, nth: number): Promise<string> {
  const { method, name } = kind
  const body = method === 'GET' ? undefined : Buffer.from('an order')
  const fields = { 'X-Request-Id': idOf(kind, nth) }
  return wordOf(await client.send({ method, target: `/${name}`, fields, body }))
}

/** PUT and DELETE are idempotent on one server, not across two. */
function expectedOf({ method, name }: Kind): string {
  return method === 'GET' && name === 'fallback' ? '200 old 1+1' : '503 busy 1+0'
}

function idOf({ method, name }: Kind, nth: number): string {
  return `chaos-${method}-${name}-${nth}`
}

function hitsOf({ hits }: Origin, id: string): number {
  return hits.filter((one) => one === id).length
}

/** No breaker, which would spare the busy side; all retries that the file may ask for, at which it lists no status. */
function routesOf(old: Origin, busy: Origin): string {
  const route = (name: string, fallback: string) =>
    `  - { name: ${name}, match: { path: /${name} }, retry: { attempts: 5 }, move: { to: busy, stage: live${fallback} } }`
  return `
accessLog: off
paths: { case: exact }
unmatched: old
upstreams: { old: { url: "${old.url}" }, busy: { url: "${busy.url}" } }
routes:
${route('fallback', '')}
${route('none', ', fallback: none')}
`
}
