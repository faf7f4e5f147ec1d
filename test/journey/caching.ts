// A gateway with a cached route, and an origin that answers as each test says. What is stale is so by its Age, not by waiting.
import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate as others } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { GatewayOptions } from '../../gateway/main.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'

export interface CountedOrigin {
  readonly url: string
  readonly asked: IncomingMessage[]
  /** From now on. */
  answer: RequestListener
  close(): Promise<void>
}

export async function startCounted(answer: RequestListener): Promise<CountedOrigin> {
  const asked: IncomingMessage[] = []
  const origin = await startOrigin((request, response) => {
    asked.push(request)
    counted.answer(request, response)
  })
  let isOpen = true
  const close = async () => {
    if (isOpen) await origin.close()
    isOpen = false
  }
  onTestFinished(close)
  const counted: CountedOrigin = { url: origin.url, asked, answer, close }
  return counted
}

/** Answers with these fields and, as its body, how often it was asked. */
export function counting(fields: Readonly<Record<string, string>>, status = 200): RequestListener {
  let times = 0
  return (_, response) => {
    times += 1
    response.writeHead(status, fields).end(`answer ${times}`)
  }
}

/** @param cache the keys of the section; @param more the lines that follow the routes' */
export async function startCaching(origin: CountedOrigin, cache = '{ status: true }', more = ''): Promise<TestGateway> {
  const yaml = `
accessLog: off
sessionCookie: SESSION
paths: { case: exact }
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
routes:
  - { name: c, match: { path: /c/*, methods: [GET, HEAD] }, upstream: origin, cache: ${cache} }
${more}`
  return startGateway(yaml)
}

export async function startGateway(yaml: string, options: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(yaml, places, options)
  onTestFinished(gateway.close)
  return gateway
}

export interface Heard {
  readonly status: number
  readonly fields: IncomingMessage['headers']
  readonly text: string
}

export async function ask(url: string, fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Heard> {
  const response = await start(url, fields, method)
  return { status: response.statusCode ?? 0, fields: response.headers, text: await text(response) }
}

/** Resolves with the head. */
export function start(
  url: string,
  fields: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers: fields, agent: false }, resolve).on('error', reject).end()
  })
}

export const result = (gateway: TestGateway, of: string, route = 'c') =>
  gateway.metric(`banyan_cache_requests_total{route="${route}",result="${of}"}`)

/** Polls what the gateway or an origin tells, for a minute at most. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 60_000
  while (performance.now() < giveUpAt) {
    if (await isSo()) return
    await others()
  }
  throw new Error('it never came about')
}

export function whole(
  response: ServerResponse,
  body: string | Buffer,
  fields: Readonly<Record<string, string | number>>,
): void {
  response.writeHead(200, { ...fields, 'Content-Length': Buffer.byteLength(body) }).end(body)
}
