// What the general door does with a request of Node's HTTP server: a judgement, the journey, the answer.
// The danger it guards against: a connection that carries on after a byte that nobody can place (RFC 9112 §11.2).
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FailureCode } from '../errors.ts'
import { abandon } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer } from '../model.ts'
import { arrivalOf } from './arrival.ts'
import type { DoorPorts } from './door.ts'
import { linger } from './linger.ts'
import { isClientsFault, refusalOf } from './refuse.ts'
import { send } from './send.ts'
import { faultOf } from './soundness.ts'
import { joinTunnel, type Tunnel } from './tunnel.ts'
import type { Turn, Turns } from './turns.ts'

export interface Service {
  serve(turn: Turn, target: string): Promise<void>
  /** @param rest what came behind the head */
  upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): Promise<void>
  /** Says goodbye in all tunnels. */
  leaveTunnels(): void
}

export function createService(ports: DoorPorts, turns: Turns): Service {
  const { journey } = ports
  const tunnels = new Set<Tunnel>()
  /** Connections that end with the answer under way: what Node has parsed behind it is not asked any more. */
  const ending = new WeakSet<Socket>()

  async function serve(turn: Turn, target: string): Promise<void> {
    const { request, response } = turn
    const { socket } = request
    const isOver = () => ending.has(socket) || socket.writableEnded || socket.destroyed
    if (isOver()) return
    const itsTurn = turns.begin(turn)
    if (itsTurn) await itsTurn
    if (isOver()) return
    const fault = faultOf({ version: request.httpVersion, target }, fieldsOf(request.rawHeaders))
    if (fault) {
      ending.add(socket)
      return answerLast(refused(fault), response, ports)
    }
    const answer = await journey(arrivalOf(turn, target))
    if (isClientsFault(answer) || isUnsure(turn) || isOld(request)) {
      ending.add(socket)
      response.shouldKeepAlive = false
    }
    send(answer, response, ports)
    // What the upstream did not want to read is read off, so that the connection can carry the next request.
    if (!request.complete) response.once('finish', () => request.resume())
  }

  async function upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): Promise<void> {
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    const letGo = attend(socket, response)
    const target = request.url ?? '/'
    const fault = faultOf({ version: request.httpVersion, target }, fieldsOf(request.rawHeaders))
    if (fault) return endWith(refused(fault), response, ports)
    const arrival = arrivalOf({ request, response }, target)
    const offer = request.headers.upgrade ?? ''
    const answer: Answer = await journey({ ...arrival, body: undefined, upgrade: offer })
    if (!answer.tunnel) return endWith(answer, response, ports)
    if (socket.destroyed) return abandon(answer, ports.clock.now)
    response.detachSocket(socket)
    letGo()
    if (rest.length > 0) socket.unshift(rest)
    const tunnel = joinTunnel(answer, socket, ports)
    tunnels.add(tunnel)
    socket.once('close', () => tunnels.delete(tunnel))
  }

  function refused(code: FailureCode): Answer {
    ports.refused(code)
    return refusalOf(code, ports.clock.now)
  }

  function leaveTunnels(): void {
    for (const tunnel of tunnels) tunnel.leave()
  }

  return { serve, upgrade, leaveTunnels }
}

function answerLast(answer: Answer, response: ServerResponse, ports: DoorPorts): void {
  response.shouldKeepAlive = false
  send(answer, response, ports)
}

/** The connection of a handshake is no longer Node's to close. */
function endWith(answer: Answer, response: ServerResponse, ports: DoorPorts): void {
  const { socket } = response
  if (socket) response.once('finish', () => linger(socket))
  answerLast(answer, response, ports)
}

/** Behind an upgrade Node has let go of the connection: nobody else tells the response how it fares. @returns what ends that */
function attend(socket: Socket, response: ServerResponse): () => void {
  const leave = () => socket.destroy()
  const goOn = () => response.emit('drain')
  socket.on('error', leave).on('end', leave).on('drain', goOn)
  return () => socket.off('end', leave).off('drain', goOn)
}

/** Its keep-alive needs an answer that says so in the same words, and is not for a proxy to promise (RFC 9112 §9.3). */
function isOld(request: IncomingMessage): boolean {
  return request.httpVersion === '1.0'
}

/** A client that was not told to go on may send the body or the next request: its next byte nobody can place (RFC 9110 §10.1.1). */
function isUnsure({ request, isInvited }: Turn): boolean {
  return request.headers.expect !== undefined && !isInvited
}
