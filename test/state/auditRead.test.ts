import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readAudit, readHeads } from '../../gateway/state/auditRead.ts'
import { fileOf, newAudit, newStateDir, noon, tamper, writeChain } from './auditWorld.ts'

const subjects = async (...asked: Parameters<typeof readAudit>) =>
  (await readAudit(...asked)).filter(({ kind }) => kind !== 'start').map(({ subject }) => subject)

test('of no folder there is nothing to read', async () => {
  const stateDir = await newStateDir()
  expect(await readAudit(stateDir)).toEqual([])
  expect(await readHeads(stateDir)).toEqual([])
})

test('the records of all writers come by time, and may be those of a subject, of late, or the newest', async () => {
  const stateDir = await newStateDir()
  const [one, two] = [newAudit(stateDir, 'one'), newAudit(stateDir, 'two')]
  for (let i = 1; i <= 20; i++) {
    const { audit, wind } = i % 3 === 0 ? two : one
    wind(i * 1_000)
    await audit.append({ kind: 'stage', by: 'file', subject: i % 2 === 0 ? `even${i}` : 'odd' })
  }
  const all = await readAudit(stateDir)
  expect(all).toHaveLength(22)
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort())
  expect(await subjects(stateDir, { subject: 'even12' })).toEqual(['even12'])
  expect(await subjects(stateDir, { subject: 'odd' })).toHaveLength(10)
  expect(await subjects(stateDir, { since: noon + 17_000 })).toEqual(['odd', 'even18', 'odd', 'even20'])
  expect(await subjects(stateDir, { limit: 3 })).toEqual(['even18', 'odd', 'even20'])
  expect(await subjects(stateDir, { subject: 'odd', since: noon + 15_000, limit: 2 })).toEqual(['odd', 'odd'])
  expect(await readAudit(stateDir, { limit: 0 })).toEqual([])
})

test('those of one writer stay in their order when its clock was set back', async () => {
  const stateDir = await newStateDir()
  const { audit, wind } = newAudit(stateDir)
  const times = [10, 20, 5, 6, 30]
  for (const [i, minutes] of times.entries()) {
    wind(minutes * 60_000)
    await audit.append({ kind: 'stage', by: 'file', subject: `${i}` })
  }
  expect(await subjects(stateDir)).toEqual(['0', '1', '2', '3', '4'])
  // Nothing that late is missed behind the records with earlier times.
  expect(await subjects(stateDir, { since: noon + 15 * 60_000 })).toEqual(['1', '4'])
})

test('lines of every length are found across the pieces that a file is read in', async () => {
  const stateDir = await newStateDir()
  const { audit } = newAudit(stateDir)
  const lengths = Array.from({ length: 300 }, (_, i) => (i * 97) % 15_000)
  for (const [i, length] of lengths.entries()) {
    void audit.append({ kind: 'alarm', by: 'guard', subject: `${i}`, evidence: 'ä'.repeat(length) })
  }
  await audit.close()
  expect((await readFile(fileOf(stateDir, 'one'))).length).toBeGreaterThan(1_000_000)
  const records = await readAudit(stateDir)
  expect(records.slice(1).map(({ evidence }) => (evidence as string).length)).toEqual(lengths)
})

test('what is no record is passed over, however long it is, and the rest is shown', async () => {
  const stateDir = await newStateDir()
  await writeChain(stateDir, 'one', 5)
  await tamper(stateDir, 'one', (lines) => [
    ...lines.slice(0, 2),
    '',
    'x'.repeat(1_000_000),
    '{"seq":1}',
    ...lines.slice(2),
    '[]',
  ])
  await appendFile(fileOf(stateDir, 'one'), '{"torn":')
  expect(await subjects(stateDir)).toEqual(['route0', 'route1', 'route2', 'route3', 'route4'])
  expect(await readHeads(stateDir)).toMatchObject([{ writer: 'one', seq: 6, tornBytes: 8 }])
})

/** Of the processor's time: a busy machine gives it when it likes. */
function workedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

test('only as much of a large file is read as the newest records need', async () => {
  const stateDir = await newStateDir()
  await writeChain(stateDir, 'one', 3)
  const lines = await readFile(fileOf(stateDir, 'one'))
  const [start = ''] = lines.toString().split('\n')
  // A gigabyte of nothing between the first record and the last ones: to read it would take seconds.
  await writeFile(fileOf(stateDir, 'one'), `${start}\n`)
  await truncate(fileOf(stateDir, 'one'), 1024 ** 3)
  await appendFile(fileOf(stateDir, 'one'), Buffer.concat([Buffer.from('\n'), lines.subarray(start.length + 1)]))
  const began = workedMs()
  const [head] = await readHeads(stateDir)
  expect(await subjects(stateDir, { limit: 3 })).toEqual(['route0', 'route1', 'route2'])
  expect(head?.seq).toBe(4)
  expect(workedMs() - began).toBeLessThan(2_000)
})

test('a line of any length is passed over in pieces', async () => {
  const stateDir = await newStateDir()
  await writeChain(stateDir, 'one', 2)
  const lines = await readFile(fileOf(stateDir, 'one'))
  await truncate(fileOf(stateDir, 'one'), lines.length + 64 * 1024 ** 2)
  await appendFile(fileOf(stateDir, 'one'), '\n')
  const began = workedMs()
  expect(await readHeads(stateDir)).toMatchObject([{ writer: 'one', seq: 3 }])
  // Kept whole, it would be copied again with each piece.
  expect(workedMs() - began).toBeLessThan(5_000)
})

test('a chain without a whole record has no head', async () => {
  const stateDir = await newStateDir()
  await writeChain(stateDir, 'one', 1)
  await truncate(fileOf(stateDir, 'one'), 10)
  expect(await readHeads(stateDir)).toEqual([])
  await truncate(fileOf(stateDir, 'one'), 0)
  expect(await readHeads(stateDir)).toEqual([])
  await writeChain(stateDir, 'two', 1)
  expect(await readHeads(stateDir)).toMatchObject([{ writer: 'two', seq: 2 }])
})
