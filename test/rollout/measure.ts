// How often the guard is wrong and how quick it is right, over many seeds. Run by hand: `node test/rollout/measure.ts [seeds] [first seed]`.
import type { Traffic } from './simulate.ts'
import { failing, simulate } from './simulate.ts'

const [seeds = 300, firstSeed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number)
const all = Array.from({ length: seeds }, (_, index) => firstSeed + index)
console.log(`${seeds} seeds from ${firstSeed}`)

const at = (perSecond: number, share: number): Traffic => ({ perSecond, outcome: failing(share) })

/** @returns seconds from the first failure of the candidate to the verdict `fail`; Infinity when it did not come in time */
function detect(seed: number, { before, after, cleanSeconds, seconds }: Onset): number {
  const simulation = simulate({ seed })
  simulation.run(cleanSeconds, before)
  let firstMs = Number.POSITIVE_INFINITY
  const outcome: Traffic['outcome'] = (random) => {
    const one = after.new.outcome(random)
    if ((one.status ?? 0) >= 500) firstMs = Math.min(firstMs, simulation.nowMs())
    return one
  }
  const hasFailed = simulation.run(
    seconds,
    { ...after, new: { ...after.new, outcome } },
    ({ result }) => result === 'fail',
  )
  return hasFailed ? (simulation.nowMs() - firstMs) / 1_000 : Number.POSITIVE_INFINITY
}

interface Onset {
  readonly before: Readonly<Record<'old' | 'new', Traffic>>
  readonly after: Readonly<Record<'old' | 'new', Traffic>>
  readonly cleanSeconds: number
  readonly seconds: number
}

function tell(what: string, onset: Onset): void {
  const times = all.map((seed) => detect(seed, onset)).sort((a, b) => a - b)
  const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0).toFixed(1)
  const within = times.filter((time) => time <= 5).length / times.length
  console.log(`${what}: within 5 s ${(within * 100).toFixed(2)} %; median ${at(0.5)} s, p99 ${at(0.99)} s`)
}

function onset(old: [number, number], candidate: [number, number], worse: number, cleanSeconds = 3_600): Onset {
  return {
    before: { old: at(...old), new: at(...candidate) },
    after: { old: at(...old), new: at(candidate[0], worse) },
    cleanSeconds,
    seconds: 600,
  }
}

tell('5 % at 100/s, old 100/s clean', onset([100, 0], [100, 0], 0.05))
tell('5 % at 100/s, old 100/s clean, after a minute', onset([100, 0], [100, 0], 0.05, 60))
tell('5 % at 100/s, old 900/s clean', onset([900, 0], [100, 0], 0.05, 300))
tell('5 % at 100/s, both at 1 % before', onset([100, 0.01], [100, 0.01], 0.05, 300))
tell('5 % at 100/s, old 1/s clean', onset([1, 0], [100, 0], 0.05))
tell('20 % at 100/s, old 1/s clean', onset([1, 0], [100, 0], 0.2))
tell('5 % at 1/s, old 99/s clean', onset([99, 0], [1, 0], 0.05, 300))
tell('50 % at 1/s, old 99/s clean', onset([99, 0], [1, 0], 0.5, 300))
tell('100 % at 1/s, old 1/s clean', onset([1, 0], [1, 0], 1, 300))
