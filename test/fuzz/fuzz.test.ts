// Differential fuzzing of our parsers against Node's own: 20 000 cases here, a million with `npm run fuzz`.
import { expect, test } from 'vitest'
import { compare, readOurs } from './compare.ts'
import type { Case, Message } from './reading.ts'
import { regressions } from './regressions.ts'
import { fuzz } from './run.ts'

const seed = Number(process.env.BANYAN_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))
const casesEach = 10_000

for (const kind of ['request', 'answer'] as const) {
  test(`whatever we take for ${kind}s Node takes for the same, byte for byte (seed ${seed})`, async () => {
    const { accepted, cases } = await fuzz(kind, casesEach, seed)
    expect(cases).toBe(casesEach)
    // A generator of garbage alone would prove nothing.
    expect(accepted).toBeGreaterThan(casesEach / 10)
  })
}

test.each(regressions)('$kind: $why', async ({ messages, ...one }) => {
  expect(await compare(one)).toBe(messages)
})

const twoRequests: Case = {
  kind: 'request',
  method: 'GET',
  bytes: `POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxyGET /b HTTP/1.1\r\nHost: h\r\n\r\n`,
}
const oneAnswer: Case = {
  kind: 'answer',
  method: 'GET',
  bytes: 'HTTP/1.1 100 \r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\nmore',
}
const lies: [string, (message: Message) => Message][] = [
  ['another start', (message) => ({ ...message, start: `${message.start} ` })],
  ['another field', (message) => ({ ...message, raw: [...message.raw, 'X', ''] })],
  ['another body', (message) => ({ ...message, body: `${message.body}z` })],
  ['another trailer', (message) => ({ ...message, trailers: [...message.trailers, 'A', 'c'] })],
  ['an earlier end', (message) => ({ ...message, end: (message.end ?? 0) - 1 })],
  ['a later end', (message) => ({ ...message, end: (message.end ?? 0) + 1 })],
]

test.each(lies)('the comparison is not blind to %s', async (_, lie) => {
  for (const one of [twoRequests, oneAnswer]) {
    const truth = readOurs(one)
    expect(await compare(one, truth)).toBe(2)
    for (const at of truth.keys()) {
      const lied = truth.map((message, i) => (i === at ? lie(message) : message))
      await expect(compare(one, lied), `message ${at}`).rejects.toThrow(/Node|to us/)
    }
  }
})
