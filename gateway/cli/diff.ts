// banyan diff: how the candidate's answers differ from the old side's, as the gateway has compared them.
// The danger it guards against: a difference that is noise and looks like a fault, or the other way round.
import type { DiffView } from '../ops/diff.ts'
import { type Ask, asking, askingOptions, type Telling, tell } from './askAdmin.ts'
import type { Command } from './command.ts'
import { table } from './table.ts'

export const diff: Command = {
  name: 'diff',
  operands: 'ROUTE',
  count: [1, 1],
  summary: 'Shows how the answers of both sides differ, by path, with redacted examples; that you looked is recorded.',
  options: askingOptions,
  run: asking(showDiff),
}

async function showDiff(ask: Ask, telling: Telling): Promise<number> {
  const [route = ''] = telling.given.operands
  return tell(await ask.get<DiffView>(`/diff/${encodeURIComponent(route)}`), telling, textOf)
}

function textOf(found: DiffView): string {
  return [summaryOf(found), ...pathsOf(found), ...(found.examples ?? []).flatMap(linesOf)].join('\n')
}

function summaryOf({ route, since, compared, same, ignored, notCompared, loginsDropped }: DiffView): string {
  if (since === undefined) return `${route}: nothing has been compared yet`
  const left = Object.entries(notCompared).map(([why, count]) => `${why} ${count}`)
  const { legs, answers } = loginsDropped
  return [
    `${route}: ${compared} compared since ${since}, ${same} the same, ${compared - same} different`,
    ...(ignored > 0 ? [`${ignored} differences on ignored paths`] : []),
    ...(left.length > 0 ? [`not compared: ${left.join(', ')}`] : []),
    ...(legs + answers > 0
      ? [`session cookies of the candidate dropped: ${legs} from legs, ${answers} from answers`]
      : []),
  ].join('\n')
}

function pathsOf({ paths }: DiffView): readonly string[] {
  if (paths.length === 0) return []
  const rows = paths.map(({ path, kind, verdict, rawRate, noiseRate, samples }) => [
    verdict,
    path,
    kind,
    `${percentOf(rawRate)} of ${samples.candidate}`,
    samples.old === 0 ? 'not measured' : `${percentOf(noiseRate)} of ${samples.old}`,
  ])
  return ['', table([['VERDICT', 'PATH', 'DIFFERENCE', 'CANDIDATE', 'OLD WITH ITSELF'], ...rows])]
}

function linesOf({ at, requestId, method, path, differences }: NonNullable<DiffView['examples']>[number]) {
  const rows = differences.map((one) => [one.at, one.kind, one.old, '→', one.candidate])
  return ['', table([[at, requestId, method, path]]), table(rows, '  ')]
}

const percentOf = (share: number) => `${(share * 100).toFixed(share < 0.01 ? 2 : 1)}%`
