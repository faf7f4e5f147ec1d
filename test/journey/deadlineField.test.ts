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
  for (const headers of [{ 'Request-Timeout': '0.1' }, { 'Request-Timeout': '100ms' }]) {
    const answer = await fetch(gateway.url, { headers })
    expect([answer.status, await answer.json()]).toMatchObject([504, { code: 'clientDeadlinePassed' }])
  }
  expect(upstream.heads).toHaveLength(2)
  expect(upstream.heads[0]).toMatch(/request-timeout: 0\.1/i)
  const own =
    'banyan_upstream_attempts_total{upstream="only",role="primary",blame="client",code="clientDeadlinePassed"}'
  expect(await gateway.metric(own)).toBe(2)
  expect(await gateway.metric('banyan_breaker_state{upstream="only"}')).toBe(0)
})
