// Metrics that are read where the figures are, whenever Prometheus asks.
// The danger they guard against: a figure that is kept in two places, and differs.

/** What a Registry asks of a metric. */
export interface ReadMetric {
  readonly name: string
  get(): Promise<object>
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** @param name of a counter it ends in `_total`; all others are gauges */
export function readMetric(name: string, help: string, samples: () => readonly Sample[]): ReadMetric {
  const type = name.endsWith('_total') ? 'counter' : 'gauge'
  return { name, get: async () => ({ name, help, type, aggregator: 'sum', values: samples() }) }
}

/** The one sample of a metric without labels. */
export function single(value: () => number): () => readonly Sample[] {
  return () => [{ labels: {}, value: value() }]
}
