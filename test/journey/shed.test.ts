// A gateway whose event loop is kept busy refuses requests, and takes them again once it is not.
import { expect, onTestFinished, test } from 'vitest'
import { startOrigin } from '../harness/origin.ts'
import { startBetween } from './sides.ts'

const busyMs = 120

/** Keeps the event loop of this process, the gateway's too, busy in turns until it is told to stop. */
function keepBusy(): () => void {
  let isBusy = true
  const turn = () => {
    const until = performance.now() + busyMs
    while (performance.now() < until);
    if (isBusy) setImmediate(turn)
  }
  turn()
  return () => {
    isBusy = false
  }
}

test('while it is behind it says 503 and when to come back; what it refused is counted, and the upstream never saw it', async () => {
  let hits = 0
  const origin = await startOrigin((_, response) => {
    hits += 1
    response.end('well')
  })
  onTestFinished(() => origin.close())
  const gateway = await startBetween(`
shedAt: 10ms
upstreams: { only: { url: "${origin.url}" } }
unmatched: only
`)
  const rest = keepBusy()
  onTestFinished(rest)
  let asked = 0
  const ask = async () => {
    asked += 1
    return fetch(gateway.url)
  }
  let answer = await ask()
  for (let i = 0; i < 50 && answer.status === 200; i++) answer = await ask()
  rest()
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await answer.json()).toMatchObject({ code: 'overloaded', title: 'The gateway is busy.' })
  for (let i = 0; i < 1_000 && answer.status !== 200; i++) answer = await ask()
  expect(answer.status).toBe(200)
  const shed = await gateway.metric('banyan_shed_requests_total{priority="safe"}')
  expect(shed).toBeGreaterThan(0)
  expect(hits).toBe(asked - shed)
  expect(await (await fetch(`${gateway.adminUrl}/status`)).json()).toMatchObject({ pressure: { shed: { safe: shed } } })
})
