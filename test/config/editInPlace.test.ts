import { spawnSync } from 'node:child_process'
import { watch } from 'node:fs'
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { type InPlace, writeInPlace } from '../../gateway/config/writeInPlace.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function makeFile(text = 'old'): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-in-place-'))
  folders.push(folder)
  const file = join(folder, 'routes.yaml')
  await writeFile(file, text)
  return { folder, file }
}

const isRoot = process.getuid?.() === 0
const nobody = 65_534
const module = pathToFileURL(join(import.meta.dirname, '../../gateway/config/writeInPlace.ts')).href

/** The same call by somebody who is not root, in a process of its own. */
function writeAsSomebody(file: string, before: string, after: string): InPlace {
  const program = `
    const { writeInPlace } = await import(${JSON.stringify(module)})
    if (${isRoot}) { process.setgroups([]); process.setgid(${nobody}); process.setuid(${nobody}) }
    process.stdout.write(JSON.stringify(await writeInPlace(...${JSON.stringify([file, before, after])})))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

describe('a file is replaced in place', () => {
  test('by the new text, byte for byte, and nothing else is left in its folder', async () => {
    const { folder, file } = await makeFile('\uFEFFü\r\n')
    expect(await writeInPlace(file, '\uFEFFü\r\n', 'new 🌳\r\n')).toEqual({ written: true })
    expect(await readFile(file, 'utf8')).toBe('new 🌳\r\n')
    expect(await readdir(folder)).toEqual(['routes.yaml'])
  })

  test('whole: who has it open reads the old one to its end', async () => {
    const { file } = await makeFile()
    const handle = await open(file)
    await writeInPlace(file, 'old', 'new')
    expect(await handle.readFile('utf8')).toBe('old')
    await handle.close()
  })

  test('under one event of its own name, and a name that a reload does not look at', async () => {
    const { folder, file } = await makeFile()
    const names: (string | null)[] = []
    const watcher = watch(folder)
    const seen = new Promise<void>((resolve) => {
      watcher.on('change', (_event, name) => {
        names.push(String(name))
        if (name === 'routes.yaml') resolve()
      })
    })
    await writeInPlace(file, 'old', 'new')
    await seen
    watcher.close()
    expect(names.filter((name) => name === 'routes.yaml')).toHaveLength(1)
    expect(
      names.filter((name) => name !== 'routes.yaml' && !/^\.routes\.yaml\.[-0-9a-f]+\.tmp$/.test(`${name}`)),
    ).toEqual([])
  })

  test('with its mode', async () => {
    const { file } = await makeFile()
    for (const mode of [0o640, 0o664, 0o600]) {
      await chmod(file, mode)
      expect(await writeInPlace(file, 'old', 'old')).toEqual({ written: true })
      expect((await stat(file)).mode & 0o7777).toBe(mode)
    }
  })

  test('with its owner, by root', async () => {
    const { file } = await makeFile()
    if (isRoot) await chown(file, nobody, nobody)
    const { uid, gid } = await stat(file)
    await writeInPlace(file, 'old', 'new')
    expect(await stat(file)).toMatchObject({ uid, gid })
  })

  test('behind its links, which stay', async () => {
    const { folder, file } = await makeFile()
    await mkdir(join(folder, 'v1'))
    await rename(file, join(folder, 'v1', 'routes.yaml'))
    await symlink('v1', join(folder, '..data'))
    await symlink('..data/routes.yaml', file)
    expect(await writeInPlace(file, 'old', 'new')).toEqual({ written: true })
    expect((await lstat(file)).isSymbolicLink()).toBe(true)
    expect(await readlink(file)).toBe('..data/routes.yaml')
    expect(await readFile(join(folder, 'v1', 'routes.yaml'), 'utf8')).toBe('new')
  })
})

describe('a file that has changed meanwhile', () => {
  const changed = { written: false, because: 'changed' }

  test('is left as it is, and so is its folder', async () => {
    const { folder, file } = await makeFile('theirs')
    expect(await writeInPlace(file, 'old', 'new')).toMatchObject(changed)
    expect(await readFile(file, 'utf8')).toBe('theirs')
    expect(await readdir(folder)).toEqual(['routes.yaml'])
  })

  test('may be gone', async () => {
    const { folder, file } = await makeFile()
    await rm(file)
    expect(await writeInPlace(file, 'old', 'new')).toMatchObject({ ...changed, problem: 'the file is gone' })
    expect(await readdir(folder)).toEqual([])
  })

  test('may differ in bytes that no text shows', async () => {
    const { file } = await makeFile()
    await writeFile(file, Buffer.from([0x6f, 0xff]))
    expect(await writeInPlace(file, await readFile(file, 'utf8'), 'new')).toMatchObject(changed)
  })

  test('one of two writers at the same moment is told, or comes after; no text is mixed', async () => {
    const { folder, file } = await makeFile()
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000))
    const results = await Promise.all(texts.map((text) => writeInPlace(file, 'old', text)))
    const written = texts.filter((_, i) => results[i]?.written)
    expect(written).toContain(await readFile(file, 'utf8'))
    expect(await readdir(folder)).toEqual(['routes.yaml'])
  })
})

describe('what cannot be replaced is read-only', () => {
  const readOnly = { written: false, because: 'readOnly' }

  async function forEverybody() {
    const { folder, file } = await makeFile()
    await chmod(folder, 0o777)
    await chmod(file, 0o666)
    return { folder, file }
  }

  async function expectUntouched(folder: string, file: string) {
    expect(await readFile(file, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['routes.yaml'])
  }

  test('a file without permission to write, although its folder has it', async () => {
    const { folder, file } = await forEverybody()
    await chmod(file, 0o444)
    expect(writeAsSomebody(file, 'old', 'new')).toEqual({ ...readOnly, problem: 'the file is read-only here (EACCES)' })
    await expectUntouched(folder, file)
  })

  test('a file in a folder without permission', async () => {
    const { folder, file } = await forEverybody()
    await chmod(folder, 0o555)
    expect(writeAsSomebody(file, 'old', 'new')).toEqual({ ...readOnly, problem: 'the file is read-only here (EACCES)' })
    await chmod(folder, 0o755)
    await expectUntouched(folder, file)
  })

  test('neither is a file for everybody, whoever owns it', async () => {
    const { file } = await forEverybody()
    expect(writeAsSomebody(file, 'old', 'new')).toEqual({ written: true })
    expect(await readFile(file, 'utf8')).toBe('new')
    expect((await stat(file)).mode & 0o777).toBe(0o666)
  })

  test('neither is the file of a group, which stays with it, by one of the group', async () => {
    const { file } = await forEverybody()
    if (isRoot) await chown(file, 0, nobody)
    await chmod(file, 0o660)
    const { gid } = await stat(file)
    expect(writeAsSomebody(file, 'old', 'new')).toEqual({ written: true })
    const after = await stat(file)
    expect([after.gid, after.mode & 0o777]).toEqual([gid, 0o660])
  })

  test('no folder is a file', async () => {
    const { folder } = await makeFile()
    expect(await writeInPlace(folder, '', '')).toMatchObject({ because: 'failed', problem: 'this is no file' })
  })
})
