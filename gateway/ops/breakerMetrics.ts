// What stands open, for Prometheus.
// The danger it guards against: an upstream that is left alone, and no alert that says so.
import type { CircuitState } from '../model.ts'
import type { BreakerBook, BreakerView } from '../state/breakers.ts'
import { type ReadMetric, readMetric, type Sample } from './readMetric.ts'

const ranks: Readonly<Record<CircuitState, number>> = { closed: 0, halfOpen: 1, open: 2 }
const states: readonly CircuitState[] = ['closed', 'halfOpen', 'open']
/** A trial is one replica's own. */
const decided: readonly CircuitState[] = ['closed', 'open']

export function breakerMetrics(breakers: Pick<BreakerBook, 'views'>): readonly ReadMetric[] {
  const metric = (name: string, help: string, samplesOf: (view: BreakerView) => Sample[]) =>
    readMetric(name, help, () => breakers.views().flatMap(samplesOf))
  return [
    metric(
      'banyan_breaker_state',
      'The breaker of an upstream: 0 closed, 1 half-open, 2 open.',
      ({ upstream, state }) => [{ labels: { upstream }, value: ranks[state] }],
    ),
    metric('banyan_breaker_transitions_total', 'How often it came to that state.', ({ upstream, turns }) =>
      states.map((to) => ({ labels: { upstream, to }, value: turns[to] })),
    ),
    metric(
      'banyan_breaker_fleet_transitions_total',
      'How often other replicas have brought it to that state.',
      ({ upstream, fleetTurns }) => decided.map((to) => ({ labels: { upstream, to }, value: fleetTurns[to] })),
    ),
    metric(
      'banyan_breaker_votes',
      'Of how many replicas the own window holds it open, this one too.',
      ({ upstream, fleet }) => [{ labels: { upstream }, value: fleet?.votes ?? 0 }],
    ),
  ]
}
