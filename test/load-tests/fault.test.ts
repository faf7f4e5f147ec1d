import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { connectTo, type Reply } from '../../load-tests/client.ts'
import type { FaultKind } from '../../load-tests/fault.ts'
import { everyNth, type Interposer, interpose } from '../../load-tests/interposer.ts'
import { randomFrom } from '../../services/kit/prng.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** An origin that writes down the id of every request and answers with the method and the body it got. */
async function origin(): Promise<{ url: string; ledger: string[] }> {
  const ledger: string[] = []
  const server = createServer(async (request, response) => {
    ledger.push(String(request.headers['x-request-id']))
    const sent = await text(request)
    const isJson = request.url === '/json'
    const body = isJson ? '{"query":"x","total":2,"results":[1,2]}' : `${request.method} ${sent}`
    response.writeHead(request.url === '/nothing' ? 204 : 200, ['Set-Cookie', 'a=1', 'set-cookie', 'b=2'])
    response.end(request.url === '/nothing' ? undefined : body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ledger }
}

interface Run {
  readonly replies: readonly Reply[]
  readonly ledger: readonly string[]
  readonly interposer: Interposer
}

/** 40 of our requests and 10 of somebody else's through an interposer that spoils every 8th. */
async function run(kind: FaultKind, seed = 1, target = '/x', timeoutMs = 5000): Promise<Run> {
  const { url, ledger } = await origin()
  const interposer = await interpose(url, { kind, isTurn: everyNth(8, randomFrom(seed)), idPrefix: 'run-' })
  closers.push(interposer.close)
  const client = connectTo(interposer.url, timeoutMs)
  closers.push(client.close)
  const ids = Array.from({ length: 50 }, (_, i) => (i % 5 === 4 ? `other-${i}` : `run-${i}`))
  const replies = await Promise.all(
    ids.map((id) => client.send({ method: 'POST', target, fields: { 'X-Request-Id': id }, body: Buffer.from(id) })),
  )
  await interposer.settled()
  return { replies, ledger, interposer }
}

const endings = (replies: readonly Reply[], ending: string) => replies.filter((reply) => reply.ending === ending).length

describe('an interposer', () => {
  it('that drops lets every request run once and swallows exactly the answers that it counts', async () => {
    const { replies, ledger, interposer } = await run('drop')
    expect(interposer.hits).toHaveLength(5)
    expect({ reset: endings(replies, 'reset'), whole: endings(replies, 'whole') }).toEqual({ reset: 5, whole: 45 })
    expect([ledger.length, new Set(ledger).size]).toEqual([50, 50])
  })

  it('that truncates cuts exactly the answers that it counts in their middle', async () => {
    const { replies, ledger, interposer } = await run('truncate')
    expect(interposer.hits).toHaveLength(5)
    const cut = replies.filter(({ ending }) => ending === 'truncated')
    expect(cut).toHaveLength(5)
    expect(cut.every(({ status, body }) => status === 200 && body.toString().startsWith('POST'))).toBe(true)
    expect(ledger).toHaveLength(50)
  })

  it('that truncates leaves answers without a body alone', async () => {
    const { replies, interposer } = await run('truncate', 1, '/nothing')
    expect({ hits: interposer.hits, whole: endings(replies, 'whole') }).toEqual({ hits: [], whole: 50 })
  })

  it('that doubles lets exactly the requests that it counts run twice, body and all, unseen by the client', async () => {
    const { replies, ledger, interposer } = await run('double')
    expect(interposer.hits).toHaveLength(5)
    expect(endings(replies, 'whole')).toBe(50)
    const twice = ledger.filter((id, i) => ledger.indexOf(id) !== i)
    expect(twice.sort()).toEqual(interposer.hits.map(({ id }) => id).sort())
    const first = replies[0]?.body.toString()
    expect(first).toBe('POST run-0')
  })

  const instead: [FaultKind, number, string][] = [
    ['errors', 503, '{"error":"a planted fault"}'],
    ['notFound', 404, '{"error":"a planted fault"}'],
  ]
  it.each(instead)(
    'with %s answers exactly those that it counts with %i, after they ran',
    async (kind, status, body) => {
      const { replies, ledger, interposer } = await run(kind)
      const spoilt = replies.filter((reply) => reply.status === status)
      expect(spoilt.map((reply) => [reply.ending, reply.body.toString(), reply.fields['set-cookie']])).toEqual(
        Array(5).fill(['whole', body, 'a=1']),
      )
      expect([interposer.hits.length, endings(replies, 'whole'), ledger.length]).toEqual([5, 50, 50])
    },
  )

  it('with wrong finds nothing in the answers that it counts, and says 200', async () => {
    const { replies, interposer } = await run('wrong', 1, '/json')
    const empty = replies.filter((reply) => reply.body.toString() === '{"query":"x","total":0,"results":[]}')
    expect([empty.length, interposer.hits.length]).toEqual([5, 5])
    expect(replies.every(({ status, ending }) => status === 200 && ending === 'whole')).toBe(true)
  })

  it('with reset cuts exactly the answers that it counts in their middle', async () => {
    const { replies, interposer } = await run('reset')
    expect([endings(replies, 'truncated'), endings(replies, 'whole'), interposer.hits.length]).toEqual([5, 45, 5])
  })

  it('with hang lets exactly those that it counts wait until their clients give up', async () => {
    const { replies, ledger, interposer } = await run('hang', 1, '/x', 3_000)
    expect([endings(replies, 'timedOut'), endings(replies, 'whole'), interposer.hits.length]).toEqual([5, 45, 5])
    expect(ledger).toHaveLength(50)
  })

  it('with slow changes nothing but the time', async () => {
    const { replies, interposer } = await run('slow')
    expect([endings(replies, 'whole'), interposer.hits.length]).toEqual([50, 5])
    expect(replies.every(({ status, body }) => status === 200 && body.toString().startsWith('POST'))).toBe(true)
  })

  it('tells a leg of the gateway’s own from a client’s request, and when it was hit', async () => {
    const { url } = await origin()
    const interposer = await interpose(url, { kind: 'errors', isTurn: () => true, idPrefix: 'run-' })
    closers.push(interposer.close)
    const before = Date.now()
    await fetch(interposer.url, { headers: { 'x-request-id': 'run-1', 'banyan-role': 'shadow' } })
    await fetch(interposer.url, { headers: { 'x-request-id': 'run-2' } })
    expect(interposer.hits.map(({ id, role }) => [id, role])).toEqual([
      ['run-1', 'shadow'],
      ['run-2', undefined],
    ])
    const times = [before, ...interposer.hits.map(({ at }) => at), Date.now()]
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  })

  it('only ever spoils requests of the run', async () => {
    const { interposer } = await run('double', 5)
    expect(interposer.hits.every(({ id }) => id.startsWith('run-'))).toBe(true)
  })

  it('passes fields on as they came, doubled ones too', async () => {
    const { interposer } = await run('drop')
    const response = await fetch(interposer.url)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    await response.body?.cancel()
  })
})
