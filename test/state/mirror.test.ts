import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMirror, readMirror, writeMirror } from '../../gateway/state/mirror.ts'

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-mirror-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('what was written last is what is read', async () => {
  const folder = join(await makeFolder(), 'not', 'there', 'yet')
  expect(await readMirror(folder)).toBeUndefined()
  await writeMirror(folder, 'first: ä\n')
  await writeMirror(folder, 'second\n')
  expect(await readMirror(folder)).toBe('second\n')
})

test('the copy and its folder are for their owner alone, and nothing lies beside it', async () => {
  const folder = join(await makeFolder(), 'var')
  await writeMirror(folder, 'x')
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, 'lastAccepted.yaml'))).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['lastAccepted.yaml'])
})

test('what a crashed write has left behind is neither read nor in the way', async () => {
  const folder = await makeFolder()
  await writeMirror(folder, 'whole\n')
  await writeFile(join(folder, `lastAccepted.yaml.${process.pid}.tmp`), 'ha', { mode: 0o666 })
  expect(await readMirror(folder)).toBe('whole\n')
  await writeMirror(folder, 'next\n')
  expect(await readMirror(folder)).toBe('next\n')
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
  mirror.save(folder, 'y')
  await mirror.idle()
  expect(failures).toEqual([taken])
  expect(await readFile(join(folder, 'lastAccepted.yaml'), 'utf8')).toBe('y')
})
