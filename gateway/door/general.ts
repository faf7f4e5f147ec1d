// The general door: Fastify on Node's HTTP server, one catch-all, the reply hijacked. It can do everything HTTP/1 can.
// The danger it guards against: a framework that judges, answers or re-shapes a request that is the monolith's business.
import { type IncomingMessage, METHODS, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import type { FailureCode } from '../errors.ts'
import { plainAddress } from '../message/addresses.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, Exchange, Fields } from '../model.ts'
import { type Door, doorOf } from './door.ts'
import { type Arrival, createJourney, type JourneyPorts } from './journey.ts'
import { failureOfParserError, refuse } from './refuse.ts'
import { type SendPorts, send } from './send.ts'
import { splice } from './splice.ts'

/** The largest request head, in bytes; beyond it 431. */
const headBytes = 64 * 1024
/** The longest a head may take to arrive (slowloris). */
const headTimeoutMs = 15_000

export interface DoorPorts extends JourneyPorts, SendPorts {
  /** A request that never became an Exchange. */
  refused(code: FailureCode): void
}

export async function createGeneralDoor(ports: DoorPorts): Promise<Door> {
  const app = createApp((error, socket) => onParserError(error, socket, ports))
  const { server } = app
  server.maxHeadersCount = 0
  const journey = createJourney(ports)

  app.addHook('onRequest', (request, reply) => {
    reply.hijack()
    const { raw } = request
    void serve({ request: raw, target: request.originalUrl, response: reply.raw })
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, rest: Buffer) => {
    void upgrade(request, socket, rest)
  })
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    ports.refused('methodUnknown')
    refuse(socket, 'methodUnknown', ports.clock.now)
  })

  async function serve({ request, target, response }: Served): Promise<void> {
    const answer = await journey(arrivalOf({ request, target, response }))
    send(answer, response, ports)
    response.once('finish', () => {
      // What the upstream did not want to read is read off, so that the connection can carry the next request.
      if (!request.complete) request.resume()
    })
  }

  async function upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): Promise<void> {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    socket.on('error', () => socket.destroy())
    const offer = request.headers.upgrade ?? ''
    const arrival = arrivalOf({ request, target: request.url ?? '/', response })
    const answer: Answer = await journey({ ...arrival, body: undefined, upgrade: offer })
    if (socket.destroyed || !answer.tunnel) {
      sendRefusal(answer, response)
      return
    }
    response.detachSocket(socket)
    if (rest.length > 0) socket.unshift(rest)
    splice(answer, socket, ports)
  }

  function sendRefusal(answer: Answer, response: ServerResponse): void {
    response.once('finish', () => response.socket?.end())
    send(answer, response, { ...ports, isDraining: () => true })
  }

  await app.ready()
  return doorOf(server)
}

interface Served {
  readonly request: IncomingMessage
  readonly target: string
  readonly response: ServerResponse
}

function createApp(onClientError: (error: Error & { code?: string }, socket: Duplex) => void): FastifyInstance {
  const app = fastify({
    http: {
      maxHeaderSize: headBytes,
      headersTimeout: headTimeoutMs,
      requestTimeout: 0,
      connectionsCheckingInterval: 1_000,
      // An upgrade with a body is a plain request that may be answered as such (RFC 9110 §7.8).
      shouldUpgradeCallback: (request: IncomingMessage) =>
        request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined,
    } as object,
    // Fastify's router must never judge the target: it sees one constant URL.
    rewriteUrl: () => '/',
    return503OnClosing: false,
    clientErrorHandler: onClientError,
  })
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.route({ method: app.supportedMethods, url: '/', handler: async () => undefined, exposeHeadRoute: false })
  return app
}

function onParserError(error: Error & { code?: string }, socket: Duplex, ports: DoorPorts): void {
  const answering = (socket as { _httpMessage?: ServerResponse })._httpMessage
  const isGone = error.code === 'ECONNRESET' || !socket.writable
  if (isGone || answering?.headersSent) {
    socket.destroy()
    return
  }
  const code = failureOfParserError(error.code)
  ports.refused(code)
  refuse(socket, code, ports.clock.now)
}

function arrivalOf({ request, target, response }: Served): Arrival {
  const { socket } = request
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  return {
    method: request.method ?? 'GET',
    target,
    fields: fieldsOf(request.rawHeaders),
    body: hasBody ? request : undefined,
    trailers: () => fieldsOf(request.rawTrailers),
    peer: plainAddress(socket.remoteAddress ?? ''),
    tls: 'encrypted' in socket,
    onGone: goneTeller(response),
    inform: (status, fields) => inform(response, request, { status, fields }),
  }
}

function goneTeller(response: ServerResponse): Exchange['onGone'] {
  return (listener) => {
    if (response.destroyed) listener()
    else
      response.once('close', () => {
        if (!response.writableFinished) listener()
      })
  }
}

/** RFC 9110 §15.2: an HTTP/1.0 client knows no interim answers; a pipelined request has the connection only at its turn. */
function inform(
  response: ServerResponse,
  request: IncomingMessage,
  { status, fields }: { status: number; fields: Fields },
): void {
  if (response.headersSent || request.httpVersion === '1.0' || !response.socket) return
  const lines: string[] = []
  for (let i = 0; i < fields.raw.length; i += 2) lines.push(`${fields.raw[i]}: ${fields.raw[i + 1]}\r\n`)
  response.socket.write(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`, 'latin1')
}
