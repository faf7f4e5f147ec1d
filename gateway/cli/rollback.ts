// banyan rollback: back to the old side, now. It edits nothing: it holds over the file until `banyan ack`.
// The danger it guards against: writes that only the new side has, left behind by somebody who did not know of them.
import type { RolledBack } from '../ops/orders.ts'
import type { RolloutView } from '../ops/rolloutView.ts'
import { asking, askingOptions, tell } from './askAdmin.ts'
import { type Command, type Given, UsageError } from './command.ts'
import { placeOf, reasonOption, standingText } from './order.ts'
import { table } from './table.ts'

export const rollback: Command = {
  name: 'rollback',
  operands: 'ROUTE | --all',
  count: [0, 1],
  summary:
    'Sends all new requests to the old side at once, until banyan ack. It moves requests, never what they wrote.',
  options: {
    all: { type: 'boolean', help: 'every rollout that the new side answers' },
    'accept-loss': { type: 'boolean', help: 'also where writes stay behind at the new side' },
    reason: reasonOption,
    ...askingOptions,
  },
  run: asking(async (ask, telling) => {
    const { given } = telling
    const route = routeOf(given)
    const order = { reason: given.value('reason'), acceptLoss: given.values('accept-loss').length > 0 }
    if (route !== undefined)
      return tell(await ask.post<RolloutView>(`${placeOf(route)}/rollback`, order), telling, told)
    const answered = await ask.post<Results>('/rollback', order)
    // A refusal of some is told with what became of the others.
    if (!answered.ok && !given.isJson && 'rollouts' in answered.body)
      telling.world.print(resultsOf(answered.body as unknown as Results))
    return tell(answered, telling, resultsOf)
  }),
}

interface Results {
  readonly rollouts: readonly RolledBack[]
}

/** @returns undefined for all of them */
function routeOf({ operands, values }: Given): string | undefined {
  const isAll = values('all').length > 0
  if (isAll === operands.length > 0) throw new UsageError('banyan rollback takes a ROUTE, or --all')
  return operands[0]
}

function told({ key, effective, declared, writesTaken }: RolloutView): string {
  const left =
    writesTaken.total > 0 ? `\n${writesTaken.total} writes are at the new side (since ${writesTaken.countedSince})` : ''
  return `${key} is rolled back to ${standingText(effective)}; the file says ${standingText(declared)}, and holds again after: banyan ack ${key}${left}`
}

const words: Readonly<Record<RolledBack['result'], string>> = {
  rolledBack: 'rolled back',
  already: 'the old side answers already',
  final: 'is final: nothing goes back',
  refused: 'NOT rolled back',
  notWritten: 'rolled back, but not written down: a restart would forget it',
}

function resultsOf({ rollouts }: Results): string {
  if (rollouts.length === 0) return 'nothing moves'
  return table(rollouts.map(({ key, result, detail = '' }) => [key, words[result], detail]))
}
