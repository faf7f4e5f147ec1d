// A gateway that compares two sides, for journey tests: what either side was asked, and what the gateway has counted.
import { createHash } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import type { DiffView } from '../../gateway/ops/diff.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly fields: IncomingMessage['headers']
  /** name, value … as they came. */
  readonly raw: readonly string[]
  readonly body: string
}

export interface Side {
  readonly url: string
  readonly asked: readonly Asked[]
  /** How many connections are open. */
  connections(): Promise<number>
  /** The first request that fits, come or yet to come. */
  request(fits: (asked: Asked) => boolean): Promise<Asked>
}

/** @param listener after the request's body has come */
export async function startSide(listener: RequestListener): Promise<Side> {
  const asked: Asked[] = []
  let told: (() => void)[] = []
  const origin = await startOrigin(async (request, response) => {
    const { method = '', url = '', headers: fields, rawHeaders: raw } = request
    const body = String(await buffer(request).catch(() => ''))
    asked.push({ method, url, fields, raw, body })
    for (const tell of told.splice(0)) tell()
    listener(request, response)
  })
  onTestFinished(origin.close)
  return {
    url: origin.url,
    asked,
    connections: () =>
      new Promise((resolve, reject) => {
        origin.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    async request(fits) {
      for (;;) {
        const found = asked.find(fits)
        if (found) return found
        await new Promise<void>((resolve) => {
          told = [...told, resolve]
        })
      }
    },
  }
}

export interface Compared extends TestGateway {
  /** What has come of the comparisons of the route "x", once that fits. */
  diff(fits?: (view: DiffView) => boolean): Promise<DiffView>
}

export interface Declared {
  /** Keys of the move but `to` and `compare`. */
  readonly move?: string
  /** Keys of `compare`. */
  readonly compare?: string
  /** Keys of the candidate. */
  readonly candidate?: string
  /** Lines at the top of the file. */
  readonly top?: string
}

/** Everybody is in the sample, and no rate is in the way. */
export const everybody = 'sample: 100%, atMost: 100000/s'

/** The route "x" takes /x/*; what is not its is asked of the old side alone. */
export async function startComparing(
  old: { readonly url: string },
  candidate: { readonly url: string },
  { move = 'stage: shadow', compare = everybody, candidate: keys = '', top = '' }: Declared = {},
): Promise<Compared> {
  const gateway = await startTestGateway(`
accessLog: off
stateDir: ./var
sessionCookie: SESSION
${top}
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}", ${keys} } }
unmatched: old
routes:
  - name: x
    match: { path: /x/* }
    move: { to: new, ${move}, compare: { ${compare} } }
`)
  onTestFinished(gateway.close)
  const view = async () => {
    const response = await fetch(`${gateway.adminUrl}/diff/x?examples=no`)
    return (await response.json()) as DiffView
  }
  return {
    ...gateway,
    async diff(fits = ({ compared }) => compared > 0) {
      // Each look is a request of its own to the gateway under test: it goes on meanwhile.
      for (;;) {
        const found = await view()
        if (fits(found)) return found
      }
    },
  }
}

export const skipped = ({ notCompared }: DiffView) => Object.values(notCompared).reduce((sum, count) => sum + count, 0)

/** Sessions s0, s1, s2 … */
export function sessions(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `s${i}`)
}

export function as(session: string, fields: Record<string, string> = {}): RequestInit {
  return { headers: { Cookie: `SESSION=${session}`, ...fields } }
}

export const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

export function answer(body: string | Buffer, fields: Record<string, string | string[]> = {}): RequestListener {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, fields)
    response.end(body)
  }
}
