import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Ticker } from '../../load-tests/arrivals.ts'
import { connectTo, type Reply } from '../../load-tests/client.ts'
import { mixOf, type PlannedRequest } from '../../load-tests/requests.ts'
import { judge, startTraffic } from '../../load-tests/traffic.ts'
import { randomFrom } from '../../services/kit/prng.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const plain: PlannedRequest = {
  kind: 'plain',
  ask: { method: 'GET', target: '/' },
  status: 200,
  complaint: ({ body }) => (JSON.parse(body.toString()).right === true ? undefined : 'not right'),
}

function reply(part: Partial<Reply>): Reply {
  return { ending: 'whole', status: 200, fields: {}, body: Buffer.from('{"right":true}'), isEndUnsure: false, ...part }
}

const problem = Buffer.from('{"type":"urn:banyan:problem:upstreamReset","title":"…"}')

describe('judge', () => {
  const cases: [string, Partial<Reply>, string, boolean][] = [
    ['a right answer ok', {}, 'ok', true],
    ['another status wrong, though a side answered', { status: 500 }, 'wrongStatus', true],
    ['another body wrong', { body: Buffer.from('{}') }, 'wrongBody', true],
    ['a body that is no JSON wrong', { body: Buffer.from('<html>') }, 'wrongBody', true],
    [
      'a failure that the gateway reports wrong, and answered by no side',
      { status: 502, fields: { 'content-type': 'application/problem+json' }, body: problem },
      'wrongStatus',
      false,
    ],
    [
      'a failure that the gateway reports with the right status wrong all the same',
      { status: 200, fields: { 'content-type': 'application/problem+json' }, body: problem },
      'wrongStatus',
      false,
    ],
    [
      'a problem of the side’s own answered by it',
      {
        status: 502,
        fields: { 'content-type': 'application/problem+json' },
        body: Buffer.from('{"type":"about:blank"}'),
      },
      'wrongStatus',
      true,
    ],
    ['a cut answer truncated, whatever its status', { ending: 'truncated', status: 500 }, 'truncated', false],
    ['no answer reset', { ending: 'reset', status: 0 }, 'reset', false],
    ['no answer in time timed out', { ending: 'timedOut', status: 0 }, 'timedOut', false],
    ['no connection refused', { ending: 'refused', status: 0 }, 'refused', false],
    [
      'an answer without a sure end and without its content truncated',
      { isEndUnsure: true, body: Buffer.from('{"ri') },
      'truncated',
      false,
    ],
    ['an answer without a sure end but with its content ok', { isEndUnsure: true }, 'ok', true],
  ]
  it.each(cases)('calls %s', (_name, part, outcome, isAnswered) => {
    expect(judge(plain, reply(part))).toMatchObject({ outcome, isAnswered })
  })
})

/** Time stands still: whatever is due at once is launched, nothing else ever. */
const standstill: Ticker = { now: () => 0, after: () => {} }

describe('traffic', () => {
  it('keeps one record of each request, with its own id, however it ended', async () => {
    const seen: unknown[] = []
    const origin = await serve((request, response) => {
      seen.push(request.headers['x-request-id'])
      if (seen.length % 3 === 0) request.socket.destroy()
      else response.end('{"right":true}')
    })
    const client = connectTo(origin, 5000)
    closers.push(client.close)
    const mix = { next: () => plain }
    const traffic = startTraffic({
      ...{ times: [0, 0, 0, 0, 0, 0], ticker: standstill, client, mix, maxInFlight: 10 },
      idPrefix: 'run-',
    })
    await traffic.done
    const ids = ['run-1', 'run-2', 'run-3', 'run-4', 'run-5', 'run-6']
    expect([...seen].sort()).toEqual(ids)
    expect(traffic.records.map(({ id }) => id).sort()).toEqual(ids)
    expect(traffic.records.filter(({ outcome }) => outcome === 'reset')).toHaveLength(2)
    expect({ unsent: traffic.unsent, inFlight: traffic.inFlight }).toEqual({ unsent: 0, inFlight: 0 })
  })

  it('counts what it could not send because too much was under way, and sends the rest', async () => {
    const held: (() => void)[] = []
    const arrived = Promise.withResolvers<void>()
    const origin = await serve((_request, response) => {
      held.push(() => response.end('{"right":true}'))
      if (held.length === 2) arrived.resolve()
    })
    const client = connectTo(origin, 5000)
    closers.push(client.close)
    const mix = { next: () => plain }
    const times = [0, 0, 0, 0, 0]
    const traffic = startTraffic({ times, ticker: standstill, client, mix, maxInFlight: 2, idPrefix: 'run-' })
    await arrived.promise
    expect({ unsent: traffic.unsent, inFlight: traffic.inFlight }).toEqual({ unsent: 3, inFlight: 2 })
    for (const release of held) release()
    await traffic.done
    expect(traffic.records.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
  })

  it('tells a request that its answer was right, and only then', async () => {
    const told: string[] = []
    const origin = await serve((_request, response) => {
      response.end(`{"right":${told.length === 0}}`)
    })
    const client = connectTo(origin, 5000)
    closers.push(client.close)
    const mix = { next: () => ({ ...plain, onRight: () => told.push('right') }) }
    const traffic = startTraffic({ times: [0], ticker: standstill, client, mix, maxInFlight: 2, idPrefix: 'a-' })
    await traffic.done
    const wrong = startTraffic({ times: [0], ticker: standstill, client, mix, maxInFlight: 2, idPrefix: 'b-' })
    await wrong.done
    expect({ told, outcomes: [traffic.records[0]?.outcome, wrong.records[0]?.outcome] }).toEqual({
      told: ['right'],
      outcomes: ['ok', 'wrongBody'],
    })
  })
})

describe('the mix', () => {
  it('draws kinds by their weights, and the same ones for the same seed', () => {
    const kinds = [
      { name: 'rare', weight: 1, next: () => ({ ...plain, kind: 'rare' }) },
      { name: 'often', weight: 9, next: () => ({ ...plain, kind: 'often' }) },
    ]
    const draw = (seed: number) => {
      const mix = mixOf(kinds, randomFrom(seed))
      return Array.from({ length: 5000 }, () => mix.next().kind)
    }
    expect(draw(1)).toEqual(draw(1))
    const rare = draw(1).filter((kind) => kind === 'rare').length
    expect(rare / 5000).toBeCloseTo(0.1, 1)
  })
})
