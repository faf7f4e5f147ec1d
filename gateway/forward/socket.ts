// One socket to a target, plain or TLS.
// The danger it guards against: a certificate that is checked against a name which the client chose.
import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Target } from '../model.ts'

/** It does not stand yet: `connect`, or over TLS `secureConnect`, says so. */
export function openSocket({ host, port, secure, verify }: Target, lookup: LookupFunction): Socket {
  // allowHalfOpen: a tunnel's two directions end one by one.
  const options = { host, port, lookup, noDelay: true, keepAlive: true, allowHalfOpen: true }
  if (!secure) return connect(options)
  // The certificate is the target's, whatever Host the client sent.
  const servername = isIP(host) ? '' : host
  return connectTls({ ...options, servername, rejectUnauthorized: verify, ALPNProtocols: ['http/1.1'] })
}
