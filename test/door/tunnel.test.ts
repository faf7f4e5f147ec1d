import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { joinTunnel } from '../../gateway/door/tunnel.ts'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Answer, End } from '../../gateway/model.ts'

const clock = { now: () => 0, wall: () => 0 }

function join(upgrade: string, parts: Partial<Answer> = {}) {
  const [client, clientEnd] = duplexPair()
  const [upstream, upstreamEnd] = duplexPair()
  const fields = fieldsOf(['Upgrade', upgrade])
  const answer = answerOf(
    { status: 101, reason: 'Switching Protocols', fields, body: undefined, by: 'upstream', tunnel: upstream },
    clock.now,
  )
  const ends: End[] = []
  answer.onEnd((end) => ends.push(end))
  const tunnel = joinTunnel({ ...answer, ...parts }, client, { clock })
  const received: Buffer[] = []
  clientEnd.on('data', (chunk: Buffer) => received.push(chunk))
  const sent = (bytes: number[]) => new Promise((resolve) => upstreamEnd.write(Buffer.from(bytes), resolve))
  /** What the client has read after the head, once everything written so far has arrived. */
  const seen = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    const all = Buffer.concat(received)
    return [...all.subarray(all.indexOf('\r\n\r\n') + 4)]
  }
  return { tunnel, sent, seen, client, upstream, ends }
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

test('a goodbye that the answer asks for is said, behind the head', async () => {
  const { seen } = join('websocket', { onLeave: (listener) => listener() })
  expect(await seen()).toEqual([0x88, 2, 0x03, 0xe9])
})

test.each(['client', 'upstream'] as const)(
  'whichever breaks off is to blame, but not behind our goodbye: %s',
  async (who) => {
    const sudden = join('websocket')
    sudden[who].destroy(new Error('reset'))
    await sudden.seen()
    expect(sudden.ends.map(({ how }) => how)).toEqual([who === 'client' ? 'clientGone' : 'upstreamBroke'])

    const told = join('websocket')
    told.tunnel.leave()
    told[who].destroy(new Error('reset'))
    await told.seen()
    expect(told.ends.map(({ how }) => how)).toEqual(['complete'])
  },
)
