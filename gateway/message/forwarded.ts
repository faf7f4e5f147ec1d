// What the upstream is told of the client: X-Forwarded-For/-Proto/-Host, Forwarded (RFC 7239), Via (RFC 9110 §7.6.3) and the id.
// The danger it guards against: fields of an untrusted client that pass for ours, or a trusted proxy's that we lose.
import type { Client, Exchange, Fields } from '../model.ts'
import { namesOf, withMore, without } from './fields.ts'

/** Written towards upstreams only: clients of the monolith must not notice us. */
const via = '1.1 banyan'

/** What is taken off and written anew, at the end. */
const ours = namesOf(['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'Via', 'X-Request-Id'])

/** The fields with which a request leaves for an upstream: an untrusted peer's forwarding fields replaced, a trusted one's appended to. */
export function withForwarding(fields: Fields, exchange: Pick<Exchange, 'client' | 'id'>): Fields {
  const { client, id } = exchange
  const raw: string[] = []
  const host = fields.get('host') ?? ''
  if (client.peerTrusted) append(raw, fields, client)
  else {
    raw.push('X-Forwarded-For', client.peer, 'X-Forwarded-Proto', scheme(client))
    if (host) raw.push('X-Forwarded-Host', host)
    raw.push('Forwarded', elementOf(client, host))
  }
  const passed = joined(fields, 'via')
  raw.push('Via', passed ? `${passed}, ${via}` : via, 'X-Request-Id', id)
  return withMore(without(fields, ours), raw)
}

/** A trusted proxy's word on the client stands; it is itself the next hop. */
function append(raw: string[], fields: Fields, client: Client): void {
  const hops = joined(fields, 'x-forwarded-for')
  const host = fields.get('host') ?? ''
  const publicHost = joined(fields, 'x-forwarded-host') || host
  raw.push('X-Forwarded-For', hops ? `${hops}, ${client.peer}` : client.peer)
  raw.push('X-Forwarded-Proto', joined(fields, 'x-forwarded-proto') || scheme(client))
  if (publicHost) raw.push('X-Forwarded-Host', publicHost)
  const elements = joined(fields, 'forwarded')
  if (elements) raw.push('Forwarded', `${elements}, ${elementOf(client, host)}`)
  // A proxy that writes X-Forwarded-For alone: a Forwarded of ours would name that proxy as the client (RFC 7239 §7.4).
  else if (!hops) raw.push('Forwarded', elementOf(client, host))
}

function elementOf(client: Client, host: string): string {
  // An IPv6 address is quoted and bracketed (RFC 7239 §6).
  const peer = client.peer.includes(':') ? `"[${client.peer}]"` : client.peer
  const named = host && !/["\\]/.test(host) ? `;host="${host}"` : ''
  return `for=${peer}${named};proto=${scheme(client)}`
}

function scheme(client: Client): string {
  return client.tls ? 'https' : 'http'
}

function joined(fields: Fields, name: string): string {
  return fields.has(name) ? fields.all(name).join(', ') : ''
}
