// banyan history: who moved what, when and why, from the gateway's audit.
// The danger it guards against: a night in which something moved, and nobody can say what.
import type { AuditRecord } from '../state/auditRecord.ts'
import { type Ask, asking, askingOptions, type Telling, tell } from './askAdmin.ts'
import type { Command, Option } from './command.ts'
import { table } from './table.ts'

export const sinceOption: Option = {
  type: 'string',
  value: 'TIME',
  help: 'nothing older: a duration such as 1h, or a time in ISO 8601',
}

export const history: Command = {
  name: 'history',
  operands: '[ROUTE]',
  count: [0, 1],
  summary: 'Lists who or what moved which route when, and why; the oldest first.',
  options: {
    since: sinceOption,
    limit: { type: 'string', value: 'NUMBER', help: 'the newest so many' },
    ...askingOptions,
  },
  run: asking(listHistory),
}

export async function listHistory(ask: Ask, telling: Telling): Promise<number> {
  const { operands, value } = telling.given
  const query = new URLSearchParams()
  for (const [key, text] of [
    ['since', value('since')],
    ['limit', value('limit')],
    ['rollout', operands[0]],
  ] as const)
    if (text !== undefined) query.set(key, text)
  return tell(await ask.get<History>(`/history?${query}`), telling, textOf)
}

interface History {
  readonly records: readonly AuditRecord[]
}

function textOf({ records }: History): string {
  if (records.length === 0) return 'nothing has changed'
  return table([
    ['TIME', 'WHAT', 'ROLLOUT', 'FROM', 'TO', 'BY', 'REASON'],
    ...records.map(({ at, kind, subject = '-', from = '-', to = '-', by, reason = '' }) => [
      at,
      kind,
      subject,
      from,
      to,
      by,
      reason,
    ]),
  ])
}
