import { copyFile, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { readAudit, readHeads } from '../../gateway/state/auditRead.ts'
import { type AuditVerdict, verifyAudit } from '../../gateway/state/auditVerify.ts'
import { fileOf, newAudit, newStateDir, startAppender, tamper, writeChain } from './auditWorld.ts'

/** Of a chain of ten records, what a change of its lines is found to be. */
async function verdictAfter(change: (lines: string[]) => string[]): Promise<AuditVerdict['writers'][number]> {
  const stateDir = await newStateDir()
  await writeChain(stateDir, 'one', 9)
  expect(await verifyAudit(stateDir)).toMatchObject({ ok: true, writers: [{ writer: 'one', records: 10 }] })
  await tamper(stateDir, 'one', change)
  const { ok, writers } = await verifyAudit(stateDir)
  expect(ok).toBe(writers.every(({ why }) => why === undefined))
  return writers[0] ?? expect.fail('there is no verdict')
}

describe('a chain shows at which record it is not what was written', () => {
  const swap = (lines: string[], a: number, b: number) =>
    lines.map((line, i) => (i === a ? lines[b] : i === b ? lines[a] : line) ?? '')

  test('when a byte is changed', async () => {
    const verdict = await verdictAfter((lines) => lines.map((line) => line.replace('route4', 'route5')))
    expect(verdict).toMatchObject({ records: 5, brokenAt: 6, why: 'its bytes have been changed', head: { seq: 5 } })
  })

  test('whichever byte it is', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 1)
    const whole = await readFile(fileOf(stateDir, 'one'))
    for (let i = 0; i < whole.length - 1; i++) {
      const bytes = Buffer.from(whole)
      bytes[i] = (bytes[i] ?? 0) ^ 1
      await writeFile(fileOf(stateDir, 'one'), bytes)
      expect((await verifyAudit(stateDir)).ok, `byte ${i}`).toBe(false)
    }
  })

  test('when only the spelling of its JSON is changed', async () => {
    const verdict = await verdictAfter((lines) => lines.map((line, i) => (i === 3 ? line.replace(',', ', ') : line)))
    expect(verdict).toMatchObject({ brokenAt: 4, why: 'its bytes have been changed' })
  })

  test('when a line is removed', async () => {
    const verdict = await verdictAfter((lines) => lines.toSpliced(4, 1))
    expect(verdict).toMatchObject({ records: 4, brokenAt: 5, why: expect.stringContaining('record 6 stands here') })
  })

  test('when the first line is removed', async () => {
    expect(await verdictAfter((lines) => lines.slice(1))).toMatchObject({ records: 0, brokenAt: 1 })
  })

  test('when two lines are swapped', async () => {
    expect(await verdictAfter((lines) => swap(lines, 4, 5))).toMatchObject({ brokenAt: 5 })
  })

  test('when a line is there twice', async () => {
    expect(await verdictAfter((lines) => lines.toSpliced(4, 0, lines[3] ?? ''))).toMatchObject({ brokenAt: 5 })
  })

  test('when something else stands in it', async () => {
    expect(await verdictAfter((lines) => [...lines, 'null'])).toMatchObject({ brokenAt: 11, why: 'this is no record' })
    expect(await verdictAfter((lines) => [...lines, ''])).toMatchObject({ brokenAt: 11, why: 'this is no record' })
    const long = await verdictAfter((lines) => lines.toSpliced(2, 0, 'x'.repeat(5_000_000)))
    expect(long).toMatchObject({ brokenAt: 3, why: 'this is no record' })
  })

  test('when a record is taken from another chain, or the whole file is', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 3)
    await copyFile(fileOf(stateDir, 'one'), fileOf(stateDir, 'other'))
    const { writers } = await verifyAudit(stateDir)
    expect(writers).toMatchObject([{ records: 4 }, { brokenAt: 1, why: 'it belongs to the chain of one' }])
  })

  test('when its file cannot be read', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 3)
    await symlink('loop.jsonl', fileOf(stateDir, 'loop'))
    const { ok, writers } = await verifyAudit(stateDir)
    expect(ok).toBe(false)
    expect(writers[0]).toMatchObject({ writer: 'loop', why: 'the file cannot be read (ELOOP)' })
    expect(writers[1]).toMatchObject({ records: 4 })
  })
})

describe('against a head that was noted elsewhere', () => {
  const cut = (lines: string[]) => lines.slice(0, -2)

  test('a cut end shows, which no chain can tell of itself', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 9)
    const heads = await readHeads(stateDir)
    expect(heads).toEqual([{ writer: 'one', seq: 10, hash: expect.stringMatching(/^[0-9a-f]{64}$/) }])
    expect((await verifyAudit(stateDir, heads)).ok).toBe(true)
    await tamper(stateDir, 'one', cut)
    expect((await verifyAudit(stateDir)).ok).toBe(true)
    const why = 'its end is cut off: the head noted elsewhere names its record 10'
    expect(await verifyAudit(stateDir, heads)).toMatchObject({ ok: false, writers: [{ brokenAt: 9, records: 8, why }] })
  })

  test('a chain that was made over as a whole shows', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 9)
    const heads = await readHeads(stateDir)
    await rm(fileOf(stateDir, 'one'))
    await writeChain(stateDir, 'one', 12)
    await tamper(stateDir, 'one', (lines) => lines)
    expect(await verifyAudit(stateDir)).toMatchObject({ ok: true })
    expect(
      await verifyAudit(
        stateDir,
        heads.map((head) => ({ ...head, hash: 'f'.repeat(64) })),
      ),
    ).toMatchObject({
      ok: false,
      writers: [{ brokenAt: 10, why: 'it is not the record that the head noted elsewhere names' }],
    })
  })

  test('a folder that is gone shows', async () => {
    const stateDir = await newStateDir()
    expect(await verifyAudit(stateDir)).toEqual({ ok: true, writers: [] })
    const verdict = await verifyAudit(stateDir, [{ writer: 'one', seq: 4, hash: 'f'.repeat(64) }])
    expect(verdict).toMatchObject({ ok: false, writers: [{ writer: 'one', records: 0, brokenAt: 1 }] })
  })
})

describe('the next writer notes what it finds, so that in an earlier chain', () => {
  test('a cut end shows', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 9)
    await writeChain(stateDir, 'two', 1)
    await tamper(stateDir, 'one', (lines) => lines.slice(0, -1))
    const why = 'its end is cut off: the first record of two names its record 10'
    expect(await verifyAudit(stateDir)).toMatchObject({ ok: false, writers: [{ brokenAt: 10, why }, { records: 2 }] })
  })

  test('a missing file shows, also when the one that follows it is missing as well', async () => {
    const stateDir = await newStateDir()
    for (const writer of ['one', 'two', 'three']) await writeChain(stateDir, writer, 1)
    await rm(fileOf(stateDir, 'one'))
    const why = 'its file is missing: the first record of two names its record 2'
    expect((await verifyAudit(stateDir)).writers).toContainEqual({ writer: 'one', records: 0, brokenAt: 1, why })
    await rm(fileOf(stateDir, 'two'))
    expect((await verifyAudit(stateDir)).writers.map(({ writer }) => writer)).toEqual(['three', 'two'])
  })

  test('what was torn is told and stays where it is', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 3)
    const file = fileOf(stateDir, 'one')
    await truncate(file, (await readFile(file)).length - 20)
    const torn = await readFile(file)
    const tornBytes = torn.length - 1 - torn.lastIndexOf('\n')
    expect(tornBytes).toBeGreaterThan(100)
    const { audit } = newAudit(stateDir, 'two')
    await audit.append({ kind: 'stage', by: 'file' })
    const [start] = (await readAudit(stateDir)).filter(({ writer }) => writer === 'two')
    expect(start).toMatchObject({ kind: 'start', evidence: { after: [{ writer: 'one', seq: 3, tornBytes }] } })
    expect(await verifyAudit(stateDir)).toMatchObject({
      ok: true,
      writers: [{ records: 3, tornBytes }, { records: 2 }],
    })
    expect(await readFile(file)).toEqual(torn)
  })
})

test('whatever a process was told is on the disk is there after it was killed in the middle of it', async () => {
  const stateDir = await newStateDir()
  for (let round = 1; round <= 5; round++) {
    const appender = startAppender(stateDir)
    await appender.says((line) => line.startsWith('ok'), round * 60)
    await appender.kill()
    const told = appender.said.filter((line) => line.startsWith('ok')).map((line) => `n${line.slice(3)}`)
    const { ok, writers } = await verifyAudit(stateDir)
    expect(ok).toBe(true)
    expect(writers).toHaveLength(round)
    const there = new Set((await readAudit(stateDir, { limit: 1e6 })).map(({ subject }) => subject))
    expect(told.filter((subject) => !there.has(subject))).toEqual([])
  }
  const starts = (await readAudit(stateDir, { limit: 1e6 })).filter(({ kind }) => kind === 'start')
  // Each names the one before it, and that one alone.
  expect(starts.map(({ evidence }) => (evidence as { after: unknown[] }).after.length)).toEqual([0, 1, 1, 1, 1])
})
