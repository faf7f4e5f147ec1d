// What stands open, for Prometheus.
// The danger it guards against: an upstream that is left alone, and no alert that says so.
import type { CircuitState } from '../model.ts'
import type { BreakerBook, BreakerView } from '../state/breakers.ts'
import type { ReadMetric } from './rolloutMetrics.ts'

const ranks: Readonly<Record<CircuitState, number>> = { closed: 0, halfOpen: 1, open: 2 }
const states: readonly CircuitState[] = ['closed', 'halfOpen', 'open']
/** A trial is one replica's own. */
const decided: readonly CircuitState[] = ['closed', 'open']

export function breakerMetrics(breakers: Pick<BreakerBook, 'views'>): readonly ReadMetric[] {
  const metric = (about: { name: string; help: string; type: string }, samplesOf: (view: BreakerView) => Sample[]) => ({
    name: about.name,
    get: async () => ({ ...about, aggregator: 'sum', values: breakers.views().flatMap(samplesOf) }),
  })
  return [
    metric(
      {
        name: 'banyan_breaker_state',
        help: 'The breaker of an upstream: 0 closed, 1 half-open, 2 open.',
        type: 'gauge',
      },
      ({ upstream, state }) => [{ labels: { upstream }, value: ranks[state] }],
    ),
    metric(
      { name: 'banyan_breaker_transitions_total', help: 'How often it came to that state.', type: 'counter' },
      ({ upstream, turns }) => states.map((to) => ({ labels: { upstream, to }, value: turns[to] })),
    ),
    metric(
      {
        name: 'banyan_breaker_fleet_transitions_total',
        help: 'How often other replicas have brought it to that state.',
        type: 'counter',
      },
      ({ upstream, fleetTurns }) => decided.map((to) => ({ labels: { upstream, to }, value: fleetTurns[to] })),
    ),
    metric(
      {
        name: 'banyan_breaker_votes',
        help: 'Of how many replicas the own window holds it open, this one too.',
        type: 'gauge',
      },
      ({ upstream, fleet }) => [{ labels: { upstream }, value: fleet?.votes ?? 0 }],
    ),
  ]
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
