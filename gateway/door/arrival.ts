// A request of Node's HTTP server as the journey wants it.
// The danger it guards against: a client that leaves unnoticed, and an interim answer where nobody can place it.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { fieldsOf } from '../message/fields.ts'
import type { ClientConnection, Exchange, Fields } from '../model.ts'
import { writeInterim } from './answerBytes.ts'
import type { Arrival } from './journey.ts'
import { isAnonymous, peerOf } from './peer.ts'
import type { Turn } from './turns.ts'

export function arrivalOf(turn: Turn, target: string): Arrival {
  const { request, response } = turn
  const { socket } = request
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  return {
    method: request.method ?? 'GET',
    target,
    fields: fieldsOf(request.rawHeaders),
    body: hasBody ? request : undefined,
    trailers: () => fieldsOf(request.rawTrailers),
    peer: peerOf(socket),
    isAnonymous: isAnonymous(socket),
    tls: 'encrypted' in socket,
    connection: connectionOf(socket),
    onGone: goneTeller(response),
    inform: (status, fields) => inform(turn, status, fields),
  }
}

const connections = new WeakMap<Socket, ClientConnection>()

/** The same for all requests of a connection. */
function connectionOf(socket: Socket): ClientConnection {
  const known = connections.get(socket)
  if (known) return known
  const made: ClientConnection = { onClose: (listener) => void socket.once('close', listener) }
  connections.set(socket, made)
  return made
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
function inform(turn: Turn, status: number, fields: Fields): void {
  const { request, response } = turn
  if (response.headersSent || request.httpVersion === '1.0' || !response.socket) return
  if (status === 100 && !turn.isInvited) {
    turn.isInvited = true
    // Not our own words: Node ends the connection of a client that waits for a 100 and got none from Node.
    response.writeContinue()
  } else writeInterim(status, fields, response.socket)
}
