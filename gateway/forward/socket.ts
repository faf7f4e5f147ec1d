// One socket to a target, plain or TLS.
// The danger it guards against: a certificate that is checked against a name which the client chose.
import { connect, isIP, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Target } from '../model.ts'
import type { Inlet } from './inlet.ts'
import type { PoolPorts } from './poolPorts.ts'

/** It does not stand yet: `connect`, or over TLS `secureConnect`, says so. */
export function openSocket(target: Target, ports: PoolPorts, inlet: Inlet): Socket {
  const socket = connectTo(target, ports, inlet.onread)
  inlet.take = () => socket.destroy(new Error(`${target.origin} spoke before the connection stood`))
  return socket
}

function connectTo(target: Target, { lookup, contextOf }: PoolPorts, onread: Inlet['onread']): Socket {
  const { host, port, secure } = target
  // allowHalfOpen: a tunnel's two directions end one by one.
  const options = { host, port, lookup, noDelay: true, keepAlive: true, allowHalfOpen: true, onread }
  if (!secure) return connect(options)
  try {
    return connectTls({ ...options, ...securedBy(target, contextOf), ALPNProtocols: ['http/1.1'] })
  } catch (thrown) {
    // It fails as any other that cannot be made.
    return new Socket().destroy(thrown as Error)
  }
}

/** How a target is made sure of, whatever it is spoken to in. */
export function securedBy(target: Target, contextOf: PoolPorts['contextOf']) {
  const { host, verify } = target
  const secureContext = contextOf(target)
  // The certificate is the target's, whatever Host the client sent.
  const servername = isIP(host) ? '' : host
  return { servername, rejectUnauthorized: verify, ...(secureContext && { secureContext }) }
}
