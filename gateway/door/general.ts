// The general door: Fastify on Node's HTTP server, one catch-all, the reply hijacked. It can do everything HTTP/1 can.
// The danger it guards against: a framework that judges, answers or re-shapes a request that is the monolith's business.
import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import type { FailureCode } from '../errors.ts'
import type { Door, DoorPorts } from './door.ts'
import { linger } from './linger.ts'
import { failureOfParserError, type ParserError, refuse } from './refuse.ts'
import { createService } from './service.ts'
import { createTurns, type Turn, type Turns } from './turns.ts'

/** The largest request head, in bytes; beyond it 431. */
const headBytes = 64 * 1024

export interface GeneralDoor extends Door {
  /** Takes a connection that another door has accepted, at a request boundary, with these bytes of it unread. */
  adopt(socket: Socket, bytes: Buffer): void
}

export async function createGeneralDoor(ports: DoorPorts): Promise<GeneralDoor> {
  const turns = createTurns()
  const app = createApp(ports, turns)
  const { server } = app
  server.maxHeadersCount = 0
  const { serve, upgrade, leaveTunnels } = createService(ports, turns)

  app.addHook('onRequest', (request, reply) => {
    reply.hijack()
    void serve({ request: request.raw, response: reply.raw }, request.originalUrl)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, rest: Buffer) => {
    void upgrade(request, socket, rest)
  })
  server.on('connect', (_: IncomingMessage, socket: Socket) => {
    const leave = () => socket.destroy()
    // Node has let go of the connection, and an answer may still be under way on it.
    const goOn = () => turns.current(socket)?.response.emit('drain')
    socket.on('error', leave).on('end', leave).on('drain', goOn)
    turns.whenFree(socket, () => refuseSocket(socket, 'methodUnknown', ports))
  })
  // So Node's server ends a connection behind its last answer; its own way resets a client that is still sending.
  server.on('connection', (socket: Socket) => {
    socket.destroySoon = () => linger(socket)
  })
  // Whether to go on is the upstream's word, passed on as it comes (RFC 9110 §10.1.1); other expectations are its business too.
  for (const event of ['checkContinue', 'checkExpectation']) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response))
  }

  await app.ready()
  // It never listens; Node looks for heads that do not arrive from this word on.
  server.emit('listening')
  return {
    take: (socket) => void server.emit('connection', socket),
    keepIdle(ms) {
      server.keepAliveTimeout = ms
    },
    closeIdle: () => server.closeIdleConnections(),
    leaveTunnels,
    // Node looks for itself.
    sweep() {},
    close: () => void server.close(),
    adopt(socket, bytes) {
      socket.pause()
      if (bytes.length > 0) socket.unshift(bytes)
      server.emit('connection', socket)
      socket.resume()
    },
  }
}

/** h2c, TLS, HTTP: a tunnel that goes on in HTTP would carry requests that no Route and no filter sees. */
function leadsToHttp(offer = ''): boolean {
  return offer.split(',').some((protocol) => /^(?:h2c?|https?|tls)(?:\/|$)/i.test(protocol.trim()))
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
        headers['content-length'] === undefined &&
        headers['transfer-encoding'] === undefined &&
        turns.isFree(socket) &&
        !leadsToHttp(headers.upgrade),
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

function refuseSocket(socket: Socket, code: FailureCode, ports: DoorPorts): void {
  if (!socket.writable) return
  ports.refused(code)
  refuse(socket, code, ports.clock.now)
}
