// A client that says how long it waits is told when that is over, and it is no failure of the upstream.
import { expect, onTestFinished, test } from 'vitest'
import { startScriptedOrigin } from '../harness/origin.ts'
import { startBetween } from './sides.ts'

test('an upstream that hangs is given up when the client would, is not blamed, and its circuit stays closed', async () => {
  const upstream = await startScriptedOrigin(() => {})
  onTestFinished(() => upstream.close())
  const gateway = await startBetween(`
deadlineField: Request-Timeout
upstreams: { only: { url: "${upstream.url}", breaker: { minRequests: 1 } } }
unmatched: only
`)
  // Long enough for both to come to the upstream, on whatever machine.
  const limits = ['1.9', '1900ms']
  const answers = await Promise.all(
    limits.map((limit) => fetch(gateway.url, { headers: { 'Request-Timeout': limit } })),
  )
  for (const answer of answers)
    expect([answer.status, await answer.json()]).toMatchObject([504, { code: 'clientDeadlinePassed' }])
  const passedOn = upstream.heads.map((head) => /request-timeout: (.*)\r/i.exec(head)?.[1])
  expect(passedOn.sort()).toEqual(limits.sort())
  const own =
    'banyan_upstream_attempts_total{upstream="only",role="primary",blame="client",code="clientDeadlinePassed"}'
  expect(await gateway.metric(own)).toBe(2)
  expect(await gateway.metric('banyan_breaker_state{upstream="only"}')).toBe(0)
})
