// One request that asks to leave HTTP (WebSocket and others): the upstream's 101 becomes a tunnel, a refusal stays its own answer.
// The danger it guards against: a handshake that is answered by us instead of by the upstream.
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import { Failure } from '../errors.ts'
import { answerOf } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, Clock, Exchange } from '../model.ts'
import { failureOf } from './failures.ts'
import { startPatience } from './patience.ts'

export interface UpgradePorts {
  readonly clock: Clock
  readonly lookup: LookupFunction
}

/** Rejects with a Failure when the upstream gave no answer. The tunnel's first bytes are put back into it. */
export function upgrade(exchange: Exchange, { clock, lookup }: UpgradePorts): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { upstream } = exchange
    const request = open(exchange, lookup)
    let isSent = false
    const giveUp = (failure: Failure) => {
      reject(failure)
      request.destroy(failure)
    }
    const patience = startPatience(upstream, { giveUp, isClientsTurn: () => false })
    const connecting = setTimeout(
      () =>
        giveUp(
          new Failure('upstreamConnectTimeout', `${upstream.name}: no connection within ${upstream.connectMs} ms`),
        ),
      upstream.connectMs,
    )
    const answered = () => patience.answerStarted(true)
    exchange.onGone(() => giveUp(new Failure('clientGone', 'the client left')))
    request.on('socket', (socket) => {
      socket.once(upstream.target.secure ? 'secureConnect' : 'connect', () => {
        clearTimeout(connecting)
        isSent = true
        patience.requestSent()
      })
    })
    request.on('information', (info) => exchange.inform(info.statusCode, fieldsOf(info.rawHeaders)))
    request.on('upgrade', (head, socket, rest) => {
      answered()
      if (rest.length > 0) socket.unshift(rest)
      resolve(answerFrom(head, exchange, clock, socket))
    })
    request.on('response', (head) => {
      answered()
      resolve(answerFrom(head, exchange, clock))
    })
    request.on('error', (error) => {
      clearTimeout(connecting)
      patience.stop()
      reject(failureOf(error, upstream, isSent))
    })
    request.end()
  })
}

function open(exchange: Exchange, lookup: LookupFunction) {
  const { target } = exchange.upstream
  const options = {
    host: target.host,
    port: target.port,
    method: exchange.method,
    path: exchange.target,
    // Connection and Upgrade are this hop's own and made anew (RFC 9110 §7.8).
    headers: [...exchange.fields.raw, 'Connection', 'Upgrade', 'Upgrade', exchange.upgrade ?? ''],
    agent: false as const,
    lookup,
  }
  return target.secure
    ? requestSecure({ ...options, servername: isIP(target.host) ? '' : target.host })
    : requestPlain(options)
}

function answerFrom(head: IncomingMessage, exchange: Exchange, clock: Clock, tunnel?: Socket): Answer {
  return answerOf(
    {
      status: head.statusCode ?? 502,
      reason: head.statusMessage ?? '',
      fields: fieldsOf(head.rawHeaders),
      body: tunnel ? undefined : head,
      trailers: () => fieldsOf(head.rawTrailers),
      by: 'upstream',
      upstream: exchange.upstream.name,
      ...(tunnel ? { tunnel } : {}),
    },
    clock.now,
  )
}
