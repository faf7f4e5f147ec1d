import { execFileSync } from 'node:child_process'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nameWriter } from '../../gateway/state/audit.ts'
import { readAudit } from '../../gateway/state/auditRead.ts'
import { verifyAudit } from '../../gateway/state/auditVerify.ts'
import { fileOf, newAudit, newStateDir, noon, startAppender, writeChain } from './auditWorld.ts'

describe('what is appended', () => {
  test('is on the disk when the promise resolves, with its place in the chain', async () => {
    const stateDir = await newStateDir()
    const { audit, troubles } = newAudit(stateDir)
    const entry = {
      kind: 'rollback',
      by: 'guard',
      subject: 'search',
      from: 'canary 10%',
      to: 'legacy',
      reason: 'errors',
      evidence: { errors: [1, 2], share: 0.05 },
      revision: 7,
    }
    const record = await audit.append(entry)
    expect(record).toEqual({
      ...entry,
      seq: 2,
      writer: 'one',
      at: '2026-11-21T12:00:00.000Z',
      prev: expect.stringMatching(/^[0-9a-f]{64}$/),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(audit.head()).toEqual({ writer: 'one', seq: 2, hash: record.hash })
    const [start, written] = (await readFile(fileOf(stateDir, 'one'), 'utf8')).trimEnd().split('\n')
    expect(JSON.parse(written ?? '')).toEqual(record)
    expect(JSON.parse(start ?? '')).toMatchObject({ seq: 1, kind: 'start', evidence: { after: [] }, hash: record.prev })
    expect(troubles).toEqual([])
  })

  test('is for its owner alone', async () => {
    const stateDir = join(await newStateDir(), 'not', 'there')
    await writeChain(stateDir, 'one', 1)
    expect((await stat(join(stateDir, 'audit'))).mode & 0o777).toBe(0o700)
    expect((await stat(fileOf(stateDir, 'one'))).mode & 0o777).toBe(0o600)
  })

  test('by whoever has just been told of the one before comes next', async () => {
    const { audit } = newAudit(await newStateDir())
    for (let seq = 2; seq <= 50; seq++) expect((await audit.append({ kind: 'look', by: 'cli:x' })).seq).toBe(seq)
  })

  test('10 000 times in one tick is soon on the disk, in order, and keeps nothing else waiting', async () => {
    const stateDir = await newStateDir()
    const { audit } = newAudit(stateDir)
    // Of the processor's time: a busy machine gives it when it likes.
    const workedMs = () => process.cpuUsage().user / 1_000
    const began = workedMs()
    let longestMs = 0
    let last = began
    const looking = setInterval(() => {
      longestMs = Math.max(longestMs, workedMs() - last)
      last = workedMs()
    }, 1)
    const all = Array.from({ length: 10_000 }, (_, i) => audit.append({ kind: 'stage', by: 'file', subject: `r${i}` }))
    last = workedMs()
    const records = await Promise.all(all)
    clearInterval(looking)
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, i) => i + 2))
    expect(records[9_999]?.subject).toBe('r9999')
    expect(await verifyAudit(stateDir)).toMatchObject({ ok: true, writers: [{ records: 10_001 }] })
    expect(workedMs() - began).toBeLessThan(10_000)
    expect(longestMs).toBeLessThan(500)
  })

  test('is one line, whatever it says, and of bounded length', async () => {
    const stateDir = await newStateDir()
    const { audit } = newAudit(stateDir)
    const ring: Record<string, unknown> = {}
    ring.ring = ring
    const long = 'y'.repeat(100_000)
    const odd = await audit.append({ kind: 'alarm', by: 'a\nb\u0000\u001b[2J\ud800', reason: long, evidence: ring })
    const big = await audit.append({ kind: long, by: long, subject: long, from: long, to: long, evidence: [long] })
    expect(odd).toMatchObject({ by: 'a\nb\u0000\u001b[2J\ud800', evidence: { unwritable: true } })
    expect(odd.reason).toHaveLength(1024)
    expect(big).toMatchObject({ evidence: { tooLong: 100_004 } })
    const text = await readFile(fileOf(stateDir, 'one'), 'utf8')
    expect(text.trimEnd().split('\n')).toHaveLength(3)
    expect([...text].filter((character) => character < ' ' && character !== '\n')).toEqual([])
    expect(text.length).toBeLessThan(5_000)
    expect((await verifyAudit(stateDir)).ok).toBe(true)
  })

  test('is what it said when it was appended, not what became of it', async () => {
    const { audit } = newAudit(await newStateDir())
    const evidence = { errors: 1 }
    const appended = audit.append({ kind: 'alarm', by: 'guard', evidence })
    evidence.errors = 2
    expect((await appended).evidence).toEqual({ errors: 1 })
  })

  test('after the end is refused, and before it is on the disk', async () => {
    const stateDir = await newStateDir()
    const { audit } = newAudit(stateDir)
    void audit.append({ kind: 'stage', by: 'file' })
    await audit.close()
    await expect(audit.append({ kind: 'stage', by: 'file' })).rejects.toThrow('the audit is closed')
    expect(await readAudit(stateDir)).toHaveLength(2)
  })
})

describe('a writer', () => {
  test('begins a chain of its own and names where it found the others, each once', async () => {
    const stateDir = await newStateDir()
    for (const writer of ['one', 'two', 'three']) await writeChain(stateDir, writer, 2)
    const starts = (await readAudit(stateDir)).filter(({ kind }) => kind === 'start')
    const named = Object.fromEntries(starts.map(({ writer, evidence }) => [writer, evidence]))
    expect(named).toMatchObject({
      one: { after: [] },
      two: { after: [{ writer: 'one', seq: 3 }] },
      three: { after: [{ writer: 'two', seq: 3 }] },
    })
  })

  test('of a name that is taken begins another file, and leaves the first one alone', async () => {
    const stateDir = await newStateDir()
    await writeChain(stateDir, 'one', 2)
    const before = await readFile(fileOf(stateDir, 'one'))
    await writeChain(stateDir, 'one', 1)
    await writeChain(stateDir, 'one', 1)
    expect(await readFile(fileOf(stateDir, 'one'))).toEqual(before)
    const { ok, writers } = await verifyAudit(stateDir)
    expect(ok).toBe(true)
    expect(writers.map(({ writer, records }) => [writer, records])).toEqual([
      ['one', 3],
      ['one~2', 2],
      ['one~3', 2],
    ])
  })

  test('is named after its host, its process and its start, and can be the name of a file', () => {
    const clock = { now: () => 0, wall: () => noon }
    const name = nameWriter(clock, `web/1 ${'x'.repeat(200)}`, Buffer.from('c0ffee00', 'hex'))
    expect(name).toBe(`web_1_${'x'.repeat(42)}-${process.pid}-20261121T120000000Z-c0ffee00`)
    expect(nameWriter(clock)).not.toBe(nameWriter(clock))
  })

  test('beside others in the same folder disturbs none of them', async () => {
    const stateDir = await newStateDir()
    const appenders = [startAppender(stateDir), startAppender(stateDir)]
    const { audit, troubles } = newAudit(stateDir, 'here')
    await Promise.all(appenders.map((appender) => appender.says((line) => line.startsWith('ok'), 200)))
    await Promise.all(Array.from({ length: 200 }, () => audit.append({ kind: 'look', by: 'cli:x' })))
    await Promise.all(appenders.map(({ kill }) => kill()))
    const { ok, writers } = await verifyAudit(stateDir)
    expect(ok).toBe(true)
    expect(writers).toHaveLength(3)
    expect(writers.find(({ writer }) => writer === 'here')).toMatchObject({ records: 201 })
    expect(troubles).toEqual([])
  })
})

describe('when the disk refuses', () => {
  test('a file in place of the folder is told once, and what was appended meanwhile comes when it is gone', async () => {
    const stateDir = await newStateDir()
    await writeFile(join(stateDir, 'audit'), 'in the way')
    const { audit, troubles } = newAudit(stateDir)
    await expect(audit.append({ kind: 'rollback', by: 'guard', subject: 'a' })).rejects.toThrow(/not in the audit yet/)
    await expect(audit.append({ kind: 'ack', by: 'cli:x', subject: 'a' })).rejects.toThrow(/not in the audit yet/)
    expect(troubles).toEqual([expect.stringMatching(/^the audit cannot be written \(.+\); records are kept/)])
    expect(audit.head()).toBeUndefined()
    await rm(join(stateDir, 'audit'))
    expect(await audit.append({ kind: 'stage', by: 'file', subject: 'a' })).toMatchObject({ seq: 4 })
    const kinds = (await readAudit(stateDir, { subject: 'a' })).map(({ kind }) => kind)
    expect(kinds).toEqual(['rollback', 'ack', 'stage'])
    expect((await verifyAudit(stateDir)).ok).toBe(true)
  })

  test.runIf(process.platform === 'linux')(
    'a full disk in the middle of a record leaves a sound chain, and the rest comes when there is room',
    async () => {
      const stateDir = await newStateDir()
      // A write beyond 16 KiB is cut there, and the next one fails, as on a full disk.
      const appender = startAppender(stateDir, "trap '' XFSZ; ulimit -S -f 16")
      await appender.says((line) => line.startsWith('refused'), 20)
      const full = await verifyAudit(stateDir)
      const acknowledged = appender.said.filter((line) => line.startsWith('ok')).length
      expect(full).toMatchObject({ ok: true, writers: [{ records: expect.any(Number) }] })
      expect(full.writers[0]?.records).toBeGreaterThan(acknowledged)
      execFileSync('prlimit', ['--pid', String(appender.child.pid), '--fsize=unlimited'])
      await appender.says((line) => line.startsWith('ok'), acknowledged + 20)
      await appender.kill()
      const subjects = (await readAudit(stateDir, { limit: 1e6 })).slice(1).map(({ subject }) => subject)
      // All of them, also those that were refused at first, in their order.
      expect(subjects).toEqual(subjects.map((_, i) => `n${i + 1}`))
      expect((await verifyAudit(stateDir)).ok).toBe(true)
      expect(appender.said.filter((line) => line.startsWith('trouble'))[0]).toMatch(/EFBIG/)
    },
  )

  test('for too long, what has no room is counted, and a record says so', async () => {
    const stateDir = await newStateDir()
    await writeFile(join(stateDir, 'audit'), 'in the way')
    const { audit } = newAudit(stateDir)
    const evidence = 'x'.repeat(16_000)
    let refusedForRoom = 0
    await Promise.all(
      Array.from({ length: 700 }, () =>
        audit.append({ kind: 'stage', by: 'file', evidence }).catch(({ message }) => {
          if (/no room/.test(message)) refusedForRoom++
        }),
      ),
    )
    expect(refusedForRoom).toBeGreaterThan(100)
    await rm(join(stateDir, 'audit'))
    // The first that is refused for want of room still sets the writing going again.
    await audit.append({ kind: 'stage', by: 'file' }).catch(() => {})
    await audit.close()
    const records = await readAudit(stateDir, { limit: 1e6 })
    expect(records.at(-1)).toMatchObject({ kind: 'lost', evidence: { lost: refusedForRoom + 1 } })
    expect(records.filter(({ kind }) => kind === 'stage')).toHaveLength(700 - refusedForRoom)
    expect((await verifyAudit(stateDir)).ok).toBe(true)
  })

  test('to the very end, the number of lost records is told', async () => {
    const stateDir = await newStateDir()
    await writeFile(join(stateDir, 'audit'), 'in the way')
    const { audit, troubles } = newAudit(stateDir)
    void audit.append({ kind: 'stage', by: 'file' })
    await audit.close()
    expect(troubles.at(-1)).toBe('1 records of the audit are lost')
  })

  test('no empty file is left by each try to begin', async () => {
    const stateDir = await newStateDir()
    const appender = startAppender(stateDir, "trap '' XFSZ; ulimit -S -f 0")
    await appender.says((line) => line.startsWith('refused'), 20)
    await appender.kill()
    expect((await readdir(join(stateDir, 'audit'))).length).toBeLessThan(2)
  })
})

test('a file that is gone from under its writer is told, and a new one names what is missing', async () => {
  const stateDir = await newStateDir()
  const { audit, troubles } = newAudit(stateDir)
  await audit.append({ kind: 'stage', by: 'file' })
  await rename(fileOf(stateDir, 'one'), join(stateDir, 'moved'))
  expect(await audit.append({ kind: 'stage', by: 'file' })).toMatchObject({ writer: 'one~2', seq: 2 })
  expect(troubles).toEqual(['the audit file of one is gone from its folder; a new one begins, and names it'])
  const why = 'its file is missing: the first record of one~2 names its record 2'
  expect(await verifyAudit(stateDir)).toMatchObject({
    ok: false,
    writers: [{ writer: 'one~2' }, { writer: 'one', why }],
  })
  await rm(join(stateDir, 'audit'), { recursive: true })
  expect(await audit.append({ kind: 'stage', by: 'file' })).toMatchObject({ writer: 'one~3', seq: 2 })
  await rename(join(stateDir, 'moved'), fileOf(stateDir, 'one'))
  expect((await verifyAudit(stateDir)).writers).toMatchObject([{ writer: 'one' }, {}, { writer: 'one~2', brokenAt: 1 }])
})
