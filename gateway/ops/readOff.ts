// Numbers for Prometheus that are read off when they are asked for, from wherever they are counted.
// The danger it guards against: counting that costs each request more than an addition.
import { Counter, Gauge, type Registry } from 'prom-client'

/** A counter that is read off when it is asked for: counting itself is one addition. */
export function countsOf(
  registers: Registry[],
  read: () => Iterable<readonly [labels: readonly string[], { readonly count: number }]>,
  about: { name: string; help: string; labelNames: string[] },
): void {
  const counter: Counter = new Counter({
    ...about,
    registers,
    collect() {
      counter.reset()
      for (const [labels, { count }] of read()) counter.labels(...labels).inc(count)
    },
  })
}

export function gaugeOf(registers: Registry[], name: string, help: string, read: () => number): void {
  const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) })
}
