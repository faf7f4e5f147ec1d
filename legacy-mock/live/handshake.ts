// `/live`: the opening handshake (RFC 6455 §4.2) and its refusals, which are ordinary answers.
// The danger it guards against: a 101 for somebody who did not ask for a WebSocket.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Endpoint, endpoint } from '../../services/kit/router.ts'
import type { Upgrades } from '../../services/kit/site.ts'
import { Refusal } from '../../services/kit/visit.ts'
import { converse } from './echo.ts'

const subprotocol = 'freight.v1'
/** §1.3 */
const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export const liveUpgrades: Upgrades = {
  wants: (request) => /^\/live(?:\?|$)/.test(request.url ?? '') && refusalOf(request) === undefined,
  accept({ request, stopping }, socket, head) {
    const accepted = createHash('sha1').update(`${request.headers['sec-websocket-key']}${magic}`).digest('base64')
    const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accepted}`]
    if (offered(request).includes(subprotocol)) fields.push(`Sec-WebSocket-Protocol: ${subprotocol}`)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n\r\n`)
    socket.setNoDelay(true)
    converse(socket, head, stopping)
  },
}

/** Who is refused the upgrade comes here by the ordinary way, and is told why. */
export const liveEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/live', ({ request }) => {
    throw refusalOf(request) ?? new Refusal(500, 'this request should have been upgraded')
  }),
]

function refusalOf({ headers, method, url }: IncomingMessage): Refusal | undefined {
  if (new URLSearchParams(url?.split('?')[1]).get('token') === 'bad') return new Refusal(401, 'this token is not valid')
  if (method !== 'GET' || !/(?:^|,)\s*websocket\s*(?:,|$)/i.test(headers.upgrade ?? '')) {
    // With `close`: a Connection field of ours replaces the one that Node would write, its `close` included.
    return new Refusal(426, 'this is a WebSocket', { Upgrade: 'websocket', Connection: 'Upgrade, close' })
  }
  if (headers['sec-websocket-version'] !== '13') {
    return new Refusal(426, 'only version 13 is spoken', {
      Upgrade: 'websocket',
      Connection: 'Upgrade, close',
      'Sec-WebSocket-Version': '13',
    })
  }
  const key = headers['sec-websocket-key'] ?? ''
  return /^[+/0-9A-Za-z]{22}==$/.test(key) ? undefined : new Refusal(400, 'Sec-WebSocket-Key is missing or broken')
}

function offered({ headers }: IncomingMessage): readonly string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
}
