// What the upstream is told of the client: X-Forwarded-For/-Proto/-Host, Forwarded (RFC 7239), Via (RFC 9110 §7.6.3) and the id.
// The danger it guards against: fields of an untrusted client that pass for ours, or a trusted proxy's that we lose.
import { isIPv6 } from 'node:net'
import type { Client, Exchange, Fields } from '../model.ts'
import { fieldsOf, withField } from './fields.ts'

/** Written towards upstreams only: clients of the monolith must not notice us. */
const via = '1.1 banyan'

const forwarding = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'])

/** The fields with which a request leaves for an upstream: an untrusted peer's forwarding fields replaced, a trusted one's appended to. */
export function withForwarding(fields: Fields, exchange: Pick<Exchange, 'client' | 'id'>): Fields {
  const { client, id } = exchange
  const host = fields.get('host') ?? ''
  const told = client.peerTrusted ? appended(fields, client, host) : replaced(fields, client, host)
  const passed = joined(told, 'via')
  return withField(withField(told, 'Via', passed ? `${passed}, ${via}` : via), 'X-Request-Id', id)
}

function replaced(fields: Fields, client: Client, host: string): Fields {
  const raw: string[] = []
  for (let i = 0; i < fields.raw.length; i += 2) {
    const name = fields.raw[i] as string
    if (!forwarding.has(name.toLowerCase())) raw.push(name, fields.raw[i + 1] as string)
  }
  raw.push('X-Forwarded-For', client.peer, 'X-Forwarded-Proto', scheme(client))
  if (host) raw.push('X-Forwarded-Host', host)
  raw.push('Forwarded', forwardedElement(client, host))
  return fieldsOf(raw)
}

function appended(fields: Fields, client: Client, host: string): Fields {
  const hops = joined(fields, 'x-forwarded-for')
  const elements = joined(fields, 'forwarded')
  let told = withField(fields, 'X-Forwarded-For', hops ? `${hops}, ${client.peer}` : client.peer)
  if (!fields.has('x-forwarded-proto')) told = withField(told, 'X-Forwarded-Proto', scheme(client))
  if (!fields.has('x-forwarded-host') && host) told = withField(told, 'X-Forwarded-Host', host)
  if (elements) return withField(told, 'Forwarded', `${elements}, ${forwardedElement(client, host)}`)
  // A proxy that writes X-Forwarded-For alone: a Forwarded of ours would name that proxy as the client (RFC 7239 §7.4).
  return hops ? told : withField(told, 'Forwarded', forwardedElement(client, host))
}

function forwardedElement(client: Client, host: string): string {
  const peer = isIPv6(client.peer) ? `"[${client.peer}]"` : client.peer
  const named = host && !/["\\]/.test(host) ? `;host="${host}"` : ''
  return `for=${peer}${named};proto=${scheme(client)}`
}

function scheme(client: Client): string {
  return client.tls ? 'https' : 'http'
}

function joined(fields: Fields, name: string): string {
  return fields.all(name).join(', ')
}
