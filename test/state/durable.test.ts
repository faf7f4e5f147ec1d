import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readIfThere, writeAtomically } from '../../gateway/state/durable.ts'

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-durable-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('what was written last is what is read, in a folder that is made for it', async () => {
  const file = join(await makeFolder(), 'not', 'there', 'yet', 'x.json')
  expect(await readIfThere(file)).toBeUndefined()
  await writeAtomically(file, 'first: ä\n')
  await writeAtomically(file, 'second\n')
  expect(await readIfThere(file)).toBe('second\n')
})

test('the file and its folder are for their owner alone, and nothing lies beside it', async () => {
  const folder = join(await makeFolder(), 'var')
  await writeAtomically(join(folder, 'x'), 'x')
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
  expect((await stat(join(folder, 'x'))).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['x'])
})

test('many writes of one file at once leave one of them, whole, and no trace of the others', async () => {
  const folder = await makeFolder()
  const texts = Array.from({ length: 30 }, (_, i) => `${i}`.repeat(50_000))
  await Promise.all(texts.map((text) => writeAtomically(join(folder, 'x'), text)))
  expect(texts).toContain(await readFile(join(folder, 'x'), 'utf8'))
  expect(await readdir(folder)).toEqual(['x'])
})

test('a reader never sees a half of it', async () => {
  const file = join(await makeFolder(), 'x')
  const texts = ['a'.repeat(300_000), 'b'.repeat(300_000)]
  await writeAtomically(file, texts[0] ?? '')
  let isWriting = true
  const writing = (async () => {
    for (let i = 0; i < 40; i++) await writeAtomically(file, texts[i % 2] ?? '')
    isWriting = false
  })()
  let reads = 0
  while (isWriting) {
    expect(texts).toContain(await readIfThere(file))
    reads++
  }
  await writing
  expect(reads).toBeGreaterThan(0)
})

test('a write that fails leaves what was there, and nothing beside it', async () => {
  const folder = await makeFolder()
  await writeFile(join(folder, 'taken'), 'kept')
  await expect(writeAtomically(join(folder, 'taken', 'x'), 'y')).rejects.toThrow(/EEXIST|ENOTDIR/)
  // A folder cannot be renamed over.
  await expect(writeAtomically(folder, 'y')).rejects.toThrow()
  expect(await readIfThere(join(folder, 'taken'))).toBe('kept')
  expect(await readdir(folder)).toEqual(['taken'])
})

test('a file that is there but cannot be read is not taken for none', async () => {
  const folder = await makeFolder()
  await symlink('loop', join(folder, 'loop'))
  await expect(readIfThere(join(folder, 'loop'))).rejects.toThrow(/ELOOP/)
  await expect(readIfThere(folder)).rejects.toThrow(/EISDIR/)
  expect(await readIfThere(join(folder, 'none'))).toBeUndefined()
})
