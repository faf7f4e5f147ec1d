import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMirror } from '../../gateway/state/mirror.ts'

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-mirror-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A mirror that may not fail. */
function newMirror() {
  return createMirror((thrown) => {
    throw thrown
  })
}

test('what was saved last is what is read, for its owner alone', async () => {
  const folder = join(await makeFolder(), 'var')
  const mirror = newMirror()
  expect(await mirror.read(folder)).toBeUndefined()
  mirror.save(folder, 'first: ä\n')
  mirror.save(folder, 'second\n')
  await mirror.idle()
  expect(await mirror.read(folder)).toBe('second\n')
  expect((await stat(join(folder, 'lastAccepted.yaml'))).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['lastAccepted.yaml'])
})

test('what a crashed write has left behind is neither read nor in the way', async () => {
  const folder = await makeFolder()
  const mirror = newMirror()
  mirror.save(folder, 'whole\n')
  await mirror.idle()
  for (const n of [1, 2, 3, 4, 5]) {
    await writeFile(join(folder, `lastAccepted.yaml.${process.pid}.${n}.tmp`), 'ha', { mode: 0o666 })
  }
  expect(await mirror.read(folder)).toBe('whole\n')
  mirror.save(folder, 'next\n')
  await mirror.idle()
  expect(await mirror.read(folder)).toBe('next\n')
  expect((await stat(join(folder, 'lastAccepted.yaml'))).mode & 0o777).toBe(0o600)
})

test('of many copies saved at once the last one stays', async () => {
  const folder = await makeFolder()
  const failures: unknown[] = []
  const mirror = createMirror((thrown) => failures.push(thrown))
  for (let i = 0; i < 50; i++) mirror.save(folder, `copy ${i}`)
  await mirror.idle()
  expect(await mirror.read(folder)).toBe('copy 49')
  expect(failures).toEqual([])
})

test('a write that fails is told with its folder, and the next one still comes', async () => {
  const folder = await makeFolder()
  const taken = join(folder, 'taken')
  await writeFile(taken, '')
  const failures: string[] = []
  const mirror = createMirror((_thrown, stateDir) => failures.push(stateDir))
  mirror.save(taken, 'x')
  await mirror.idle()
  mirror.save(folder, 'y')
  await mirror.idle()
  expect(failures).toEqual([taken])
  expect(await readFile(join(folder, 'lastAccepted.yaml'), 'utf8')).toBe('y')
})
