// The file that keys lie in: who may read it, and what outlives a process.
import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { openKeyFile } from '../../../gateway/state/keys/keyFile.ts'
import { newKey, newStateDir, revocationOf } from './world.ts'

test('nobody else may read it, nor what SQLite lays beside it', async () => {
  const stateDir = await newStateDir()
  const file = openKeyFile(stateDir)
  onTestFinished(() => file.close())
  await file.put(newKey().record)
  const names = await readdir(join(stateDir, 'keys'))
  expect(names).toEqual(expect.arrayContaining(['keys.db', 'keys.db-wal']))
  const modes = await Promise.all(names.map(async (name) => (await stat(join(stateDir, 'keys', name))).mode & 0o777))
  expect(new Set(modes)).toEqual(new Set([0o600]))
  expect((await stat(join(stateDir, 'keys'))).mode & 0o777).toBe(0o700)
})

test('there is no key in it', async () => {
  const stateDir = await newStateDir()
  const file = openKeyFile(stateDir)
  const { key, record } = newKey()
  await file.put(record)
  file.close()
  const bytes = await readFile(join(stateDir, 'keys', 'keys.db'), 'latin1')
  expect(bytes).toContain(record.id)
  expect(bytes).not.toContain(key)
  expect(bytes).not.toContain(key.slice(record.id.length))
})

test('a process that is killed with -9 in the next moment has revoked nonetheless', async () => {
  const stateDir = await newStateDir()
  const { record } = newKey()
  const program = `
    import { openKeyFile } from ${JSON.stringify(new URL('../../../gateway/state/keys/keyFile.ts', import.meta.url).href)}
    const file = openKeyFile(${JSON.stringify(stateDir)})
    await file.put(${JSON.stringify(record)})
    await file.revoke({ id: ${JSON.stringify(record.id)}, at: 1, by: 'x', reason: 'y' })
    process.kill(process.pid, 'SIGKILL')
  `
  const signal = await new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', program], (error) => resolve(error?.signal))
  })
  expect(signal).toBe('SIGKILL')
  const file = openKeyFile(stateDir)
  onTestFinished(() => file.close())
  expect([...file.records().keys()]).toEqual([record.id])
  expect([...file.revocations().keys()]).toEqual([record.id])
})

test('what another process does to the same file is heard of', async () => {
  const stateDir = await newStateDir()
  const [one, other] = [openKeyFile(stateDir), openKeyFile(stateDir)]
  onTestFinished(() => one.close())
  onTestFinished(() => other.close())
  const made = newKey()
  await one.put(made.record)
  await one.revoke(revocationOf(made))
  let told = 0
  other.onChange(() => (told += 1))
  await other.round()
  expect([...other.revocations().keys()]).toEqual([made.record.id])
  await other.round()
  expect(told).toBe(1)
})

test('a revocation that the disk refuses is in effect, and written down once it can be', async () => {
  const stateDir = await newStateDir()
  const file = openKeyFile(stateDir)
  onTestFinished(() => file.close())
  const made = newKey()
  await file.put(made.record)
  const blocker = new DatabaseSync(join(stateDir, 'keys', 'keys.db'))
  blocker.exec('BEGIN EXCLUSIVE')
  await expect(file.revoke(revocationOf(made))).rejects.toThrow(/locked/)
  expect(file.revocations().has(made.record.id)).toBe(true)
  blocker.exec('COMMIT')
  blocker.close()
  await file.round()
  const other = openKeyFile(stateDir)
  onTestFinished(() => other.close())
  expect(other.revocations().has(made.record.id)).toBe(true)
})

test('one of a newer gateway, or that is none, is refused and left as it is', async () => {
  const stateDir = await newStateDir()
  openKeyFile(stateDir).close()
  const database = new DatabaseSync(join(stateDir, 'keys', 'keys.db'))
  database.exec('PRAGMA user_version = 2')
  database.close()
  expect(() => openKeyFile(stateDir)).toThrow(/newer version/)
  const broken = await newStateDir()
  await mkdir(join(broken, 'keys'))
  await writeFile(join(broken, 'keys', 'keys.db'), 'this is no database, and never was one'.repeat(100))
  await chmod(join(broken, 'keys', 'keys.db'), 0o600)
  expect(() => openKeyFile(broken)).toThrow(/not a database/)
})

test('what ends a change by itself, as a full disk does, is told by its own name, and the next change is taken', async () => {
  const stateDir = await newStateDir()
  const file = openKeyFile(stateDir)
  onTestFinished(() => file.close())
  const full = new DatabaseSync(join(stateDir, 'keys', 'keys.db'))
  onTestFinished(() => full.close())
  full.exec("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END")
  const { record } = newKey()
  await expect(file.put(record)).rejects.toThrow('the disk is full')
  full.exec('DROP TRIGGER full')
  await file.round()
  expect(full.prepare('SELECT name FROM records').all()).toEqual([{ name: record.id }])
})
