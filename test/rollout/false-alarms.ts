// How often two equal sides are told apart by chance. Run by hand: `node test/rollout/false-alarms.ts [hours] [seed]`.
import { failing, simulate, type Traffic } from './simulate.ts'

const [hours = 24, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number)
console.log(`${hours} h each, seed ${seed}`)

function tell(what: string, old: Traffic, candidate: Traffic, incident?: Traffic['outcome']): void {
  const counts: Record<string, number> = {}
  const simulation = simulate({ seed })
  // After an alarm or a rollback a rollout begins anew.
  const count = ({ result, reasons }: ReturnType<typeof simulation.judge>) => {
    const why = result === 'pass' || result === 'inconclusive' ? '' : ` (${reasons[0]?.why})`
    counts[result + why] = (counts[result + why] ?? 0) + 1
    if (result === 'fail' || result === 'alarm') simulation.windows.reset()
    return false
  }
  for (let minute = 0; minute < hours * 60; minute++) {
    const outcome = incident && minute % 10 === 9 ? incident : undefined
    const sides = outcome ? { old: { ...old, outcome }, new: { ...candidate, outcome } } : { old, new: candidate }
    simulation.run(60, sides, count)
  }
  console.log(what, JSON.stringify(counts))
}

const at = (perSecond: number, share: number): Traffic => ({ perSecond, outcome: failing(share) })

tell('both 100/s at 1 %', at(100, 0.01), at(100, 0.01))
tell('both 100/s at 0.1 %', at(100, 0.001), at(100, 0.001))
tell('both 100/s at 5 %', at(100, 0.05), at(100, 0.05))
tell('both 100/s, 1 % and 1.5 %', at(100, 0.01), at(100, 0.015))
tell('old 1/s, new 99/s at 1 %', at(1, 0.01), at(99, 0.01))
tell('old 99/s, new 1/s at 1 %', at(99, 0.01), at(1, 0.01))
tell('both 1/s at 1 %', at(1, 0.01), at(1, 0.01))
tell('both 100/s at 1 %, one minute in ten at 20 %', at(100, 0.01), at(100, 0.01), failing(0.2))
tell('old 1/s, new 99/s at 1 %, one minute in ten at 20 %', at(1, 0.01), at(99, 0.01), failing(0.2))
