// banyan tester: the word by which somebody chooses the side of a move that answers him, and how to use it.
// The danger it guards against: a word for longer, or for more, than was meant. It is good for one name, move, side and time.
import { formatProblems } from '../config/problems.ts'
import { durationMs } from '../config/schema.ts'
import type { RolloutDeclaration, Side, Testers } from '../model.ts'
import { signChoice } from '../rollout/testers.ts'
import { summaryOf } from './check.ts'
import { type Command, configOption, type Given, jsonOption, UsageError, type World } from './command.ts'
import { configFileOf, readConfig } from './file.ts'

const longestMs = durationMs('30d')

export const tester: Command = {
  name: 'tester',
  operands: 'NAME',
  count: [1, 1],
  summary: 'Makes the word by which a tester of that name chooses a side of a move that has "testers".',
  options: {
    rollout: { type: 'string', value: 'KEY', help: 'the route or group that moves' },
    side: { type: 'string', value: 'SIDE', help: 'who is to answer: new or old' },
    for: { type: 'string', value: 'TIME', help: 'how long the word is good, at most 30d; else 8h' },
    config: configOption,
    json: jsonOption,
  },
  run,
}

interface Wanted {
  readonly name: string
  readonly key: string
  readonly side: Side
  readonly forMs: number
}

async function run(given: Given, world: World): Promise<number> {
  const wanted = wantedBy(given)
  const file = configFileOf(given, world)
  const { problems, declaration } = await readConfig(file, world)
  const no = (reason: string, details: object) => {
    if (given.isJson) world.print(JSON.stringify({ ok: false, file, ...details }))
    else world.complain(reason)
    return 1
  }
  if (!declaration) return no(`${formatProblems(file, problems)}\n${summaryOf(problems)}`, { problems })
  const found = moveOf(declaration.rollouts, wanted.key)
  if (typeof found === 'string') return no(found, { reason: found })
  const { rollout, testers } = found
  const untilMs = Math.floor((Date.now() + wanted.forMs) / 1_000) * 1_000
  const word = signChoice(testers.key, rollout.key, { ...wanted, untilMs })
  const until = new Date(untilMs).toISOString()
  const { by, name: bearer } = testers
  const header = by === 'cookie' ? `Cookie: ${bearer}=${word}` : `${bearer}: ${word}`
  const { name, side } = wanted
  const told = { name, rollout: rollout.key, side, until, word, [by]: bearer, header }
  world.print(given.isJson ? JSON.stringify({ ok: true, file, ...told }) : textOf({ ...told, by, bearer }))
  return 0
}

function wantedBy({ operands: [name = ''], value }: Given): Wanted {
  if (!/^[A-Za-z0-9._@+-]{1,63}$/.test(name)) throw new UsageError('the NAME is of letters, digits and . _ @ + -')
  const [key, side, time = '8h'] = [value('rollout'), value('side'), value('for')]
  if (key === undefined) throw new UsageError('say which move: --rollout KEY')
  if (side !== 'new' && side !== 'old') throw new UsageError('say who is to answer: --side new or --side old')
  const forMs = /^[0-9]{1,9}(s|m|h|d)$/.test(time) ? durationMs(time) : 0
  if (forMs === 0 || forMs > longestMs) throw new UsageError('--for takes a time such as 30m, 8h or 2d, at most 30d')
  return { name, key, side, forMs }
}

/** Or why nobody can choose, as a sentence with the remedy. */
function moveOf(
  rollouts: ReadonlyMap<string, RolloutDeclaration>,
  key: string,
): { readonly rollout: RolloutDeclaration; readonly testers: Testers } | string {
  const rollout = rollouts.get(key) ?? [...rollouts.values()].find(({ routes }) => routes.includes(key))
  if (!rollout)
    return `no route or group "${key}" moves; those that do are ${[...rollouts.keys()].join(', ') || 'none'}`
  const { testers, declared } = rollout
  if (!testers) return `"${rollout.key}" has no testers; add to it: testers: { cookie: NAME, key: SECRET }`
  return declared.stage === 'final' ? `"${rollout.key}" is final: there is no side to choose` : { rollout, testers }
}

interface Told {
  readonly name: string
  readonly rollout: string
  readonly side: Side
  readonly until: string
  readonly word: string
  readonly header: string
  readonly by: Testers['by']
  readonly bearer: string
}

function textOf({ name, rollout, side, until, word, header, by, bearer }: Told): string {
  const lines = [
    `until ${until} ${name} is answered by the ${side} side of "${rollout}", unless it is rolled back, with`,
    `  ${header}`,
    'for example',
    `  curl -H '${header}' …`,
  ]
  const inBrowser = `  document.cookie = '${bearer}=${word}; path=/; expires=${new Date(until).toUTCString()}'`
  return [...lines, ...(by === 'cookie' ? ["or in a browser's console on a page of the site", inBrowser] : [])].join(
    '\n',
  )
}
