import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMirror } from '../../gateway/state/mirror.ts'
import { broken, makeFolder, replace, sound, watchFile } from './world.ts'

const pollMs = 1e9
const settleMs = 5

async function writeMirror(stateDir: string, text: string): Promise<void> {
  const mirror = createMirror((thrown) => {
    throw thrown
  })
  mirror.save(stateDir, text)
  await mirror.close()
}

test('every accepted file is kept in stateDir as it was written, and no refused one is', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  const kept = join(folder, 'var', 'lastAccepted.yaml')
  const env = { PORT: '7' }
  const text = `${sound(1)}public:\n  port: \${PORT}\n`
  await writeFile(file, text)
  const { reloader, mirror } = watchFile(file, { pollMs, settleMs, env })
  await reloader.start()
  await mirror.idle()
  expect(await readFile(kept, 'utf8')).toBe(text)
  await replace(file, broken)
  await reloader.reload()
  await mirror.idle()
  expect(await readFile(kept, 'utf8')).toBe(text)
  await replace(file, sound(2))
  await reloader.reload()
  await mirror.idle()
  expect(await readFile(kept, 'utf8')).toBe(sound(2))
})

test('a start on a broken file serves the last accepted one and tells the mistakes', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(file, broken)
  await writeMirror(join(folder, 'var'), sound(1))
  const { reloader, live, servedPort } = watchFile(file, { pollMs, settleMs })
  const first = await reloader.start()
  expect(first).toMatchObject({ from: 'mirror', snapshot: { revision: 1 }, problems: [{ severity: 'error' }, {}] })
  expect(servedPort()).toBe(1)
  expect(live.problems).toEqual(first.from === 'file' ? [] : first.problems)
  await replace(file, sound(2))
  expect(await reloader.reload()).toMatchObject({ ok: true, snapshot: { revision: 2 } })
  expect(live.problems).toEqual([])
})

test('a start without a file serves the last accepted one', async () => {
  const folder = await makeFolder()
  await writeMirror(join(folder, 'var'), sound(1))
  const { reloader, servedPort } = watchFile(join(folder, 'routes.yaml'), { pollMs, settleMs })
  expect(await reloader.start()).toMatchObject({
    from: 'mirror',
    problems: [{ message: expect.stringContaining('there is none') }],
  })
  expect(servedPort()).toBe(1)
})

test('a start on a broken file without a copy has nothing to serve, and does not watch', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(file, broken)
  const { reloader, live } = watchFile(file, { pollMs, settleMs })
  expect(await reloader.start()).toMatchObject({ from: 'nothing', problems: [{}, {}] })
  expect(live.snapshot).toBeUndefined()
  expect(() => live.current).toThrow('before the first Snapshot')
})

test('a copy that this version refuses is no copy', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(file, broken)
  await writeMirror(join(folder, 'var'), 'upstreams: 1\n')
  const { reloader } = watchFile(file, { pollMs, settleMs })
  expect(await reloader.start()).toMatchObject({ from: 'nothing' })
})

test('the copy is looked for where the broken file says that state is kept', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(file, `stateDir: elsewhere\n${broken}nonsense: 1\n`)
  await writeMirror(join(folder, 'elsewhere'), sound(1))
  const { reloader, servedPort } = watchFile(file, { pollMs, settleMs })
  expect(await reloader.start()).toMatchObject({ from: 'mirror' })
  expect(servedPort()).toBe(1)
})

test('BANYAN_STATE_DIR is where state is kept, whatever the file says', async () => {
  const [folder, state] = [await makeFolder(), await makeFolder()]
  const file = join(folder, 'routes.yaml')
  await writeFile(file, `stateDir: elsewhere\n${sound(1)}`)
  const env = { BANYAN_STATE_DIR: state }
  const before = watchFile(file, { pollMs, settleMs, env })
  await before.reloader.start()
  await before.mirror.idle()
  expect(before.live.current.settings.stateDir).toBe(state)
  await before.reloader.close()
  await writeFile(file, 'public: {')
  const after = watchFile(file, { pollMs, settleMs, env })
  expect(await after.reloader.start()).toMatchObject({ from: 'mirror' })
})

test('a stateDir that cannot be written is told and fails no reload', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(join(folder, 'taken'), 'a file where the folder should be')
  await writeFile(file, `stateDir: taken\n${sound(1)}`)
  const { reloader, mirror, mirrorFailures, servedPort } = watchFile(file, { pollMs, settleMs })
  expect(await reloader.start()).toMatchObject({ from: 'file' })
  await mirror.idle()
  expect(mirrorFailures).toMatchObject([{ code: 'EEXIST' }])
  await replace(file, `stateDir: taken\n${sound(2)}`)
  expect(await reloader.reload()).toMatchObject({ ok: true })
  expect(servedPort()).toBe(2)
})

test('a copy that cannot be read is as good as none', async () => {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(file, broken)
  await mkdir(join(folder, 'var', 'lastAccepted.yaml'), { recursive: true })
  const { reloader } = watchFile(file, { pollMs, settleMs })
  expect(await reloader.start()).toMatchObject({ from: 'nothing' })
})
