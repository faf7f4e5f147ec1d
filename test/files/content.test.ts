import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readContent } from '../../gateway/files/content.ts'

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-content-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a text has the same hash wherever it is read, and another text another one', async () => {
  const folder = await makeFolder()
  await writeFile(join(folder, 'a'), 'x: ä\n')
  await symlink('a', join(folder, 'b'))
  await writeFile(join(folder, 'c'), 'x: o\n')
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => readContent(join(folder, name))))
  expect(a).toEqual({ text: 'x: ä\n', hash: expect.stringMatching(/^[0-9a-f]{12}$/) })
  expect(b).toEqual(a)
  expect(c?.hash).not.toBe(a?.hash)
})

test('a file that is missing is told from one that cannot be read', async () => {
  const folder = await makeFolder()
  expect(await readContent(join(folder, 'none'))).toMatchObject({ isMissing: true, text: '' })
  await symlink('circle', join(folder, 'circle'))
  await symlink('nowhere', join(folder, 'dangling'))
  await mkdir(join(folder, 'folder'))
  await writeFile(join(folder, 'large'), '')
  await truncate(join(folder, 'large'), 17 * 1024 * 1024)
  const problems = ['circle', 'folder', 'large', 'large/x'].map(async (name) => {
    const content = await readContent(join(folder, name))
    expect(content.isMissing).toBeUndefined()
    return content.problem?.message
  })
  expect(await Promise.all(problems)).toEqual([
    'the file cannot be read (its symbolic links go in circles); check its path and permissions',
    'this is no file; name one',
    'the file has 17 MiB; at most 16 are read',
    'the file cannot be read (ENOTDIR); check its path and permissions',
  ])
  expect((await readContent(join(folder, 'dangling'))).isMissing).toBe(true)
})
