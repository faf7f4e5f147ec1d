// Failed checks on their way into the audit, with a minute that the test owns.
import { expect, test } from 'vitest'
import type { AuditEntry } from '../../gateway/state/auditRecord.ts'
import { createRefusals } from '../../gateway/state/auditRefusals.ts'

function start() {
  const records: AuditEntry[] = []
  const due: (() => void)[] = []
  const refusals = createRefusals({
    append: (entry) => records.push(entry),
    schedule(run, afterMs) {
      expect(afterMs).toBe(60_000)
      due.push(run)
    },
  })
  const refuse = (source: string) => refusals.add(source, { kind: 'refused', by: source, reason: 'no token was sent' })
  const endMinute = () => {
    for (const run of due.splice(0)) run()
  }
  return { records, refuse, endMinute, flush: refusals.flush }
}

test('the first of a source is recorded at once, and how many more there were when the minute is over', () => {
  const { records, refuse, endMinute } = start()
  for (let i = 0; i < 1_000; i++) refuse('192.0.2.1')
  refuse('192.0.2.2')
  expect(records.map(({ by, reason }) => [by, reason])).toEqual([
    ['192.0.2.1', 'no token was sent'],
    ['192.0.2.2', 'no token was sent'],
  ])
  endMinute()
  expect(records.slice(2)).toEqual([
    {
      kind: 'refused',
      by: '192.0.2.1',
      reason: '999 more within a minute, the first: no token was sent',
      evidence: { source: '192.0.2.1', more: 999 },
    },
  ])
  refuse('192.0.2.1')
  expect(records).toHaveLength(4)
})

test('of many sources the first ones have records, and the others are one number', () => {
  const { records, refuse, endMinute } = start()
  for (let i = 0; i < 10_000; i++) refuse(`2001:db8::${i.toString(16)}`)
  expect(records).toHaveLength(64)
  endMinute()
  expect(records).toHaveLength(65)
  expect(records.at(-1)).toMatchObject({ by: 'many', evidence: { more: 9_936 } })
})

test('what is only counted is not lost at the end', () => {
  const { records, refuse, flush, endMinute } = start()
  refuse('192.0.2.1')
  refuse('192.0.2.1')
  flush()
  expect(records.at(-1)).toMatchObject({ evidence: { more: 1 } })
  flush()
  endMinute()
  expect(records).toHaveLength(2)
})
