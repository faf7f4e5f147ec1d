// The general door: Fastify on Node's HTTP server, one catch-all, the reply hijacked. It can do everything HTTP/1 can.
// The danger it guards against: a framework that judges, answers or re-shapes a request that is the monolith's business.
import { type IncomingMessage, METHODS, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import { type FailureCode, failures } from '../errors.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer } from '../model.ts'
import { arrivalOf } from './arrival.ts'
import { type Door, doorOf } from './door.ts'
import { createJourney, type JourneyPorts } from './journey.ts'
import { failureOfParserError, type ParserError, refusalOf, refuse } from './refuse.ts'
import { type SendPorts, send } from './send.ts'
import { faultOf } from './soundness.ts'
import { splice } from './splice.ts'
import { createTurns, type Turn, type Turns } from './turns.ts'

/** The largest request head, in bytes; beyond it 431. */
const headBytes = 64 * 1024

export interface DoorPorts extends JourneyPorts, SendPorts {
  /** The longest a head may take to arrive (slowloris). */
  readonly headTimeoutMs: number
  /** A request that never became an Exchange. */
  refused(code: FailureCode): void
}

export async function createGeneralDoor(ports: DoorPorts): Promise<Door> {
  const turns = createTurns()
  const app = createApp(ports, turns)
  const { server } = app
  server.maxHeadersCount = 0
  const journey = createJourney(ports)

  app.addHook('onRequest', (request, reply) => {
    reply.hijack()
    void serve({ request: request.raw, response: reply.raw }, request.originalUrl)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, rest: Buffer) => {
    void upgrade(request, socket, rest)
  })
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    turns.whenFree(socket, () => refuseSocket(socket, 'methodUnknown', ports))
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    turns.begin({ request, response })
    answerLast(refused('expectationUnknown'), response)
  })

  async function serve(turn: Turn, target: string): Promise<void> {
    turns.begin(turn)
    const { request, response } = turn
    const fault = faultOf(request.httpVersion, fieldsOf(request.rawHeaders))
    if (fault) return answerLast(refused(fault), response)
    const answer = await journey(arrivalOf(turn, target))
    if (isClientsFault(answer)) response.shouldKeepAlive = false
    send(answer, response, ports)
    response.once('finish', () => {
      // What the upstream did not want to read is read off, so that the connection can carry the next request.
      if (!request.complete) request.resume()
    })
  }

  async function upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): Promise<void> {
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    socket.on('error', () => socket.destroy())
    const fault = faultOf(request.httpVersion, fieldsOf(request.rawHeaders))
    if (fault) return endWith(refused(fault), response)
    const arrival = arrivalOf({ request, response }, request.url ?? '/')
    const offer = request.headers.upgrade ?? ''
    const answer: Answer = await journey({ ...arrival, body: undefined, upgrade: offer })
    if (socket.destroyed || !answer.tunnel) return endWith(answer, response)
    response.detachSocket(socket)
    if (rest.length > 0) socket.unshift(rest)
    splice(answer, socket, ports)
  }

  function refused(code: FailureCode): Answer {
    ports.refused(code)
    return refusalOf(code, ports.clock.now)
  }

  function answerLast(answer: Answer, response: ServerResponse): void {
    response.shouldKeepAlive = false
    send(answer, response, ports)
  }

  /** The connection of a handshake is no longer Node's to close. */
  function endWith(answer: Answer, response: ServerResponse): void {
    response.once('finish', () => response.socket?.end())
    answerLast(answer, response)
  }

  await app.ready()
  return doorOf(server)
}

function createApp(ports: DoorPorts, turns: Turns): FastifyInstance {
  const { headTimeoutMs } = ports
  const app = fastify({
    http: {
      maxHeaderSize: headBytes,
      headersTimeout: headTimeoutMs,
      requestTimeout: 0,
      // Ours to check (soundness.ts): Node's own 400 is no problem+json, and of two Hosts it sees one.
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(1_000, headTimeoutMs),
      // An upgrade with a body, or behind an answer that is still due, is a plain request (RFC 9110 §7.8: we may ignore Upgrade).
      shouldUpgradeCallback: ({ headers, socket }: IncomingMessage) =>
        headers['content-length'] === undefined && headers['transfer-encoding'] === undefined && turns.isFree(socket),
    } as object,
    // Fastify's router must never judge the target: it sees one constant URL.
    rewriteUrl: () => '/',
    return503OnClosing: false,
    clientErrorHandler: parserErrorListener(ports, turns),
  })
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.route({ method: app.supportedMethods, url: '/', handler: async () => undefined, exposeHeadRoute: false })
  return app
}

function parserErrorListener(ports: DoorPorts, turns: Turns): (error: ParserError, socket: Socket) => void {
  const faulty = new WeakSet<Duplex>()
  return (error, socket) => {
    // A connection that was opened ahead and never used needs no answer, only an end.
    if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
      socket.destroy()
      return
    }
    // Behind a fault each further byte is one.
    if (faulty.has(socket)) return
    faulty.add(socket)
    const newest = turns.newest(socket)
    if (newest && !newest.request.complete) breakBody(newest, ports.clock.now)
    else turns.whenFree(socket, () => refuseSocket(socket, failureOfParserError(error), ports))
  }
}

/** The head was sound, and its body is not: the client has left as far as the journey is concerned, and is told why. */
function breakBody({ request, response }: Turn, now: () => number): void {
  const { socket } = request
  if (response.headersSent || response.socket !== socket) {
    socket.destroy()
    return
  }
  response.detachSocket(socket)
  response.destroy()
  response.emit('close')
  refuse(socket, 'requestBodyBroken', now)
}

function refuseSocket(socket: Duplex, code: FailureCode, ports: DoorPorts): void {
  if (!socket.writable) return
  ports.refused(code)
  refuse(socket, code, ports.clock.now)
}

function isClientsFault({ failure }: Answer): boolean {
  return failure !== undefined && failures[failure as FailureCode].blame === 'client'
}
