// `npm run fuzz [-- CASES [SEED]]`: differential fuzzing of our parsers against Node's, a million cases unless told otherwise.
// The danger it guards against: a hole that 20 000 cases miss. Exits 1 with the smallest case that the two read differently.
import { parseArgs } from 'node:util'
import { fuzz } from './run.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const cases = Number(positionals[0] ?? 1_000_000)
const firstSeed = Number(positionals[1] ?? Math.floor(Math.random() * 2 ** 31))
const atATime = 20_000

async function main(): Promise<number> {
  if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(firstSeed)) {
    console.error('usage: npm run fuzz [-- CASES [SEED]]')
    return 2
  }
  console.log(`${cases} cases, seed ${firstSeed}`)
  let done = 0
  let accepted = 0
  for (let seed = firstSeed; done < cases; seed += 1) {
    for (const kind of ['request', 'answer'] as const) {
      const tally = await fuzz(kind, Math.min(atATime / 2, Math.ceil((cases - done) / 2)), seed)
      done += tally.cases
      accepted += tally.accepted
    }
    if ((seed - firstSeed) % 5 === 4) console.log(`${done} cases, ${accepted} taken by both, none read differently`)
  }
  console.log(`${done} cases, ${accepted} taken by both, none read differently`)
  return 0
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 1
})
