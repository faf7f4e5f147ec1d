// How long things took, as a Prometheus histogram. prom-client's own counts by a key made of text for each observation, which
// was 4 % of what a small request costs; here an observation is a few comparisons, and text is made when somebody asks for it.
// The danger it guards against: a histogram whose buckets are not cumulative, or do not add up to its count.

/** From a fast answer of a service to the patience of a browser. */
const boundsSeconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export class Durations {
  /** How many fell into each bucket and into no earlier one; the last is for what is beyond all bounds. */
  readonly #counts: number[] = Array.from({ length: boundsSeconds.length + 1 }, () => 0)
  #sumSeconds = 0

  observe(seconds: number): void {
    let at = 0
    while (seconds > (boundsSeconds[at] as number)) at += 1
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#sumSeconds += seconds
  }

  add(other: Durations): void {
    for (const [at, count] of other.#counts.entries()) this.#counts[at] = (this.#counts[at] ?? 0) + count
    this.#sumSeconds += other.#sumSeconds
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** Its series. @param name of the metric */
  series(name: string, labels: Labels): Sample[] {
    let count = 0
    const buckets = [...boundsSeconds, '+Inf'].map((le, at) => {
      count += this.#counts[at] ?? 0
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    const sum = { metricName: `${name}_sum`, labels, value: this.#sumSeconds }
    return [...buckets, sum, { metricName: `${name}_count`, labels, value: count }]
  }
}

type Labels = Readonly<Record<string, string>>

interface Sample {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface About {
  readonly name: string
  readonly help: string
}

/**
 * What a Registry asks of a metric.
 * @param read the labels may repeat: what bears the same is one series
 */
export function histogramOf(read: () => Iterable<readonly [Labels, Durations]>, { name, help }: About) {
  const get = async () => {
    const values = merged(read()).flatMap(([labels, durations]) => durations.series(name, labels))
    return { name, help, type: 'histogram', aggregator: 'sum', values }
  }
  return { name, get }
}

function merged(all: Iterable<readonly [Labels, Durations]>): (readonly [Labels, Durations])[] {
  const found = new Map<string, readonly [Labels, Durations]>()
  for (const [labels, durations] of all) {
    if (durations.count === 0) continue
    const key = JSON.stringify(labels)
    const sum = found.get(key) ?? ([labels, new Durations()] as const)
    sum[1].add(durations)
    found.set(key, sum)
  }
  return [...found.values()]
}
