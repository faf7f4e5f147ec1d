import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { joinTunnel } from '../../gateway/door/tunnel.ts'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'

const clock = { now: () => 0, wall: () => 0 }

function join(upgrade: string) {
  const [client, clientEnd] = duplexPair()
  const [upstream, upstreamEnd] = duplexPair()
  const fields = fieldsOf(['Upgrade', upgrade])
  const answer = answerOf(
    { status: 101, reason: 'Switching Protocols', fields, body: undefined, by: 'upstream', tunnel: upstream },
    clock.now,
  )
  const tunnel = joinTunnel(answer, client, { clock })
  const received: Buffer[] = []
  clientEnd.on('data', (chunk: Buffer) => received.push(chunk))
  const sent = (bytes: number[]) => new Promise((resolve) => upstreamEnd.write(Buffer.from(bytes), resolve))
  /** What the client has read after the head, once everything written so far has arrived. */
  const seen = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const all = Buffer.concat(received)
    return [...all.subarray(all.indexOf('\r\n\r\n') + 4)]
  }
  return { tunnel, sent, seen }
}

test('the goodbye waits for the end of the frame under way, and nothing follows it', async () => {
  const { tunnel, sent, seen } = join('websocket')
  await sent([0x82, 4, 1, 2])
  tunnel.leave()
  expect(await seen()).toEqual([0x82, 4, 1, 2])
  await sent([3, 4, 0x82, 1, 9])
  await sent([0x82, 1, 9])
  expect(await seen()).toEqual([0x82, 4, 1, 2, 3, 4, 0x88, 2, 0x03, 0xe9])
})

test('between two frames the goodbye is said at once, and once', async () => {
  const { tunnel, seen } = join('WebSocket')
  tunnel.leave()
  tunnel.leave()
  expect(await seen()).toEqual([0x88, 2, 0x03, 0xe9])
})

test('a protocol without frames that we know is left alone', async () => {
  const { tunnel, sent, seen } = join('tls/1.3')
  tunnel.leave()
  await sent([1, 2, 3])
  expect(await seen()).toEqual([1, 2, 3])
})
