import { expect, test } from 'vitest'
import { createMetrics } from '../../gateway/ops/metrics.ts'
import { monolith, outcomeOf, reportOf, routeOf, search, snapshotOf } from './world.ts'

const version = '1.2.3'

test('a request is counted by route, stage, upstream and class of the status', async () => {
  const metrics = createMetrics({ version })
  const report = reportOf({ answer: { status: 204, upstream: 'search' } })
  metrics.start(report.exchange)
  metrics.end(report)
  const text = await metrics.text()
  expect(text).toContain('banyan_requests_total{route="search",stage="live",upstream="search",status="2xx"} 1')
  expect(text).toContain('banyan_request_duration_seconds_bucket{le="0.025",route="search",upstream="search"} 1')
  expect(text).toContain('banyan_request_duration_seconds_bucket{le="0.01",route="search",upstream="search"} 0')
  expect(text).toContain('banyan_requests_in_flight 0')
  expect(metrics.requests().get('search')).toBe(1)
})

test('a failure that the gateway reports counts at the upstream that the request was headed for', async () => {
  const metrics = createMetrics({ version })
  metrics.end(reportOf({ answer: { status: 502, by: 'gateway', failure: 'upstreamRefused' } }))
  expect(await metrics.text()).toContain('route="search",stage="live",upstream="search",status="5xx"} 1')
})

test('requests in flight are those that have started and not ended', async () => {
  const metrics = createMetrics({ version })
  const report = reportOf()
  metrics.start(report.exchange)
  metrics.start(report.exchange)
  metrics.end(report)
  expect(await metrics.text()).toContain('banyan_requests_in_flight 1')
})

test('an upgraded connection is counted, but its hours are no request duration', async () => {
  const metrics = createMetrics({ version })
  const report = reportOf({ answer: { status: 101, upstream: 'search' } })
  metrics.end({ ...report, answer: { ...report.answer, tunnel: {} as never } })
  const text = await metrics.text()
  expect(text).toContain('status="1xx"} 1')
  expect(text).not.toContain('banyan_request_duration_seconds_count{')
})

test('attempts tell role, blame and code', async () => {
  const metrics = createMetrics({ version })
  metrics.outcome(outcomeOf())
  metrics.outcome(outcomeOf({ role: 'fallback', blame: 'upstream', failure: 'upstreamReset' }))
  const text = await metrics.text()
  expect(text).toContain('banyan_upstream_attempts_total{upstream="search",role="primary",blame="",code=""} 1')
  expect(text).toContain('upstream="search",role="fallback",blame="upstream",code="upstreamReset"} 1')
})

test('series of routes and upstreams that the file no longer has are dropped', async () => {
  const metrics = createMetrics({ version })
  for (let i = 0; i < 50; i += 1) {
    const route = routeOf(`route-${i}`)
    metrics.accepted(snapshotOf({ revision: i + 1, routes: [route], upstreams: [monolith, search] }))
    metrics.end(reportOf({ route, answer: { upstream: 'monolith' } }))
    metrics.nearMiss(route.name)
    metrics.outcome(outcomeOf({ upstream: 'search' }))
  }
  metrics.accepted(snapshotOf({ revision: 51, upstreams: [monolith] }))
  const text = await metrics.text()
  expect(text).not.toContain('route-')
  expect(text).not.toContain('upstream="search"')
  expect(text).toContain('banyan_config_revision 51')
  expect(metrics.nearMisses()).toEqual({})
  expect(metrics.requests().size).toBe(0)
})

test('a kept route goes on counting after a reload', () => {
  const metrics = createMetrics({ version })
  const kept = routeOf('kept')
  metrics.end(reportOf({ route: kept }))
  metrics.accepted(snapshotOf({ routes: [routeOf('kept')] }))
  metrics.end(reportOf({ route: kept }))
  expect(metrics.requests().get('kept')).toBe(2)
})

test('readings of the file are counted by result, and the mistakes of a refused one are shown until one is accepted', async () => {
  const metrics = createMetrics({ version })
  metrics.accepted(snapshotOf({ revision: 7 }))
  metrics.rejected(3)
  const refused = await metrics.text()
  expect(refused).toContain('banyan_reloads_total{result="accepted"} 1')
  expect(refused).toContain('banyan_reloads_total{result="refused"} 1')
  expect(refused).toContain('banyan_config_problems 3')
  expect(refused).toContain('banyan_config_revision 7')
  metrics.accepted(snapshotOf({ revision: 8 }))
  expect(await metrics.text()).toContain('banyan_config_problems 0')
})

test('what a door refuses is counted by code, and a near miss by route', async () => {
  const metrics = createMetrics({ version, droppedLines: () => 4 })
  metrics.refused('requestHeadTooLarge')
  metrics.nearMiss('search')
  const text = await metrics.text()
  expect(text).toContain('banyan_refused_requests_total{code="requestHeadTooLarge"} 1')
  expect(text).toContain('banyan_near_misses_total{route="search"} 1')
  expect(text).toContain(`banyan_build_info{version="1.2.3",node="${process.version}"} 1`)
  expect(text).toContain('banyan_log_lines_dropped_total 4')
  expect(text).toContain('process_cpu_seconds_total')
})
