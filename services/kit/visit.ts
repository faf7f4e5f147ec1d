// One request as the three systems' own code sees it, and the ways to answer it.
// The danger it guards against: two sides that answer the same thing with different fields.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

export type ServiceName = 'monolith' | 'search' | 'ai'

export interface Visit {
  readonly service: ServiceName
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The raw path: nothing decoded, so that `/a%2Fb` is not `/a/b`. */
  readonly path: string
  readonly query: URLSearchParams
  /** The `:names` of the route, decoded. */
  readonly params: Readonly<Record<string, string>>
  /** Fires when the process stops: what would go on for ever ends itself then. */
  readonly stopping: AbortSignal
}

/** Thrown by whoever cannot do what was asked; becomes the answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly fields: OutgoingHttpHeaders

  constructor(status: number, message: string, fields: OutgoingHttpHeaders = {}) {
    super(message)
    this.status = status
    this.fields = fields
  }
}

/** @param fields are written after the four that every JSON answer has. */
export function sendJson(visit: Visit, status: number, content: unknown, fields: OutgoingHttpHeaders = {}): void {
  const body = Buffer.from(`${JSON.stringify(content)}\n`)
  visit.response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Served-By': visit.service,
    ...fields,
  })
  visit.response.end(body)
}

export function sendRefusal(visit: Visit, refusal: Refusal): void {
  sendJson(visit, refusal.status, { error: refusal.message }, refusal.fields)
}

export function sendText(visit: Visit, status: number, text: string): void {
  const body = Buffer.from(text)
  visit.response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length })
  visit.response.end(body)
}

/** The body's chunks. Who stops in the middle leaves the connection whole, so that an answer still gets out. */
export function chunksOf({ request }: Visit): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false })
}

/** All of a small request body. @throws Refusal 413 beyond `maxBytes`. */
export async function readBody(visit: Visit, maxBytes = 1_048_576): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunksOf(visit)) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Refusal(413, `the body is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @throws Refusal 415 for another type, 400 for what is not JSON. */
export async function readJson(visit: Visit): Promise<unknown> {
  const type = visit.request.headers['content-type'] ?? ''
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) throw new Refusal(415, 'send application/json')
  const text = (await readBody(visit)).toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'the body is not valid JSON')
  }
}

/** A whole number from the query. @throws Refusal 400 outside the range. */
export function numberOf(
  query: URLSearchParams,
  name: string,
  range: readonly [min: number, max: number],
): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const [min, max] = range
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new Refusal(400, `${name} must be a whole number from ${min} to ${max}`)
  return value
}
