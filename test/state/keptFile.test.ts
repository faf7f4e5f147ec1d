// What is kept is on the disk, or will be: real files, and a folder in their place for a disk that takes nothing.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createWindows } from '../../gateway/rollout/windows.ts'
import { createBaselines } from '../../gateway/state/baselines.ts'
import { createKeptFile } from '../../gateway/state/keptFile.ts'
import { createMirror } from '../../gateway/state/mirror.ts'
import { rolloutOf } from '../rollout/declared.ts'
import { contentOf } from './appearing.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-kept-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A file that cannot be written until that is called. */
async function blocked(file: string): Promise<() => Promise<void>> {
  await mkdir(join(file, 'in its place'), { recursive: true })
  return () => rm(file, { recursive: true })
}

test('what is refused is told once, and written as soon as it can be, without another change', async () => {
  const file = join(await newFolder(), 'kept')
  const free = await blocked(file)
  const told: string[] = []
  const kept = createKeptFile((_thrown, refused) => told.push(refused))
  await expect(kept.save(file, 'first')).rejects.toThrow('EISDIR')
  await expect(kept.save(file, 'second')).rejects.toThrow('EISDIR')
  await free()
  expect(await contentOf(file)).toBe('second')
  expect(told).toEqual([file, file])
})

test('at the end it is tried once more, and then never again', async () => {
  const file = join(await newFolder(), 'kept')
  const free = await blocked(file)
  const kept = createKeptFile(() => {})
  kept.save(file, 'once more')
  await kept.idle()
  await free()
  await kept.close()
  expect(await readFile(file, 'utf8')).toBe('once more')
})

test('the mirror of routes.yaml is written as soon as the disk takes it', async () => {
  const stateDir = await newFolder()
  const free = await blocked(join(stateDir, 'lastAccepted.yaml'))
  const told: string[] = []
  const mirror = createMirror((_thrown, of) => told.push(of))
  onTestFinished(mirror.close)
  mirror.save(stateDir, 'unmatched: old\n')
  await mirror.idle()
  expect(told).toEqual([stateDir])
  await free()
  expect(await contentOf(join(stateDir, 'lastAccepted.yaml'))).toBe('unmatched: old\n')
})

test('a frozen baseline is written as soon as the disk takes it', async () => {
  const stateDir = await newFolder()
  const file = join(stateDir, 'baselines.json')
  const told: unknown[] = []
  const baselines = createBaselines((thrown) => told.push(thrown))
  onTestFinished(baselines.written)
  await baselines.open(stateDir)
  const free = await blocked(file)
  const rollout = rolloutOf('search')
  baselines.freeze(
    { ...rollout, guard: { ...rollout.guard, minRequests: 0 } },
    createWindows({ windowMs: 30_000, now: () => 0 }),
  )
  await free()
  expect(Object.keys(JSON.parse(await contentOf(file)).baselines)).toEqual(['search'])
})
