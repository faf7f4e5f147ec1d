import { writeFileSync } from 'node:fs'
import { appendFile, mkdir, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filterKind } from '../../gateway/filter.ts'
import { broken, isRefused, makeFolder, replace, serves, sound, watchFile } from './world.ts'

/** A poll that never comes in a test: what is noticed, the watch has noticed. */
const never = 1e9

async function start(how: Parameters<typeof watchFile>[1] = {}) {
  const folder = await makeFolder()
  const file = join(folder, 'routes.yaml')
  await writeFile(file, sound(1))
  const world = watchFile(file, { settleMs: 5, ...how })
  const first = await world.reloader.start()
  expect(first.from).toBe('file')
  return { folder, file, ...world }
}

describe('the watch of the folder notices', () => {
  test('a file renamed over the old one, again and again', async () => {
    const { file, event, live } = await start({ pollMs: never })
    for (const port of [2, 3, 4]) {
      await replace(file, sound(port))
      await event(serves(port))
    }
    expect(live.current.revision).toBe(4)
  })

  test('a file written in place', async () => {
    const { file, event } = await start({ pollMs: never })
    await writeFile(file, sound(2))
    expect(await event(serves(2))).toMatchObject({ ok: true, snapshot: { revision: 2 } })
  })

  test('a file that is deleted and written anew', async () => {
    const { file, event, live, servedPort } = await start({ pollMs: never })
    await rm(file)
    expect(await event(isRefused)).toMatchObject({
      problems: [
        { line: 1, column: 1, message: 'the file cannot be read (there is none); check its path and permissions' },
      ],
    })
    expect(servedPort()).toBe(1)
    expect(live.problems).toHaveLength(1)
    await writeFile(file, sound(2))
    await event(serves(2))
    expect(live.problems).toEqual([])
  })

  test("Kubernetes' swap of the link that the file's link goes through", async () => {
    const folder = await makeFolder()
    const volume = async (name: string, port: number) => {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'routes.yaml'), sound(port))
    }
    await volume('..2026_01', 1)
    await symlink('..2026_01', join(folder, '..data'))
    await symlink('..data/routes.yaml', join(folder, 'routes.yaml'))
    const { reloader, event } = watchFile(join(folder, 'routes.yaml'), { pollMs: never, settleMs: 5 })
    await reloader.start()
    for (const port of [2, 3]) {
      await volume(`..2026_0${port}`, port)
      await symlink(`..2026_0${port}`, join(folder, '..data_tmp'))
      await rename(join(folder, '..data_tmp'), join(folder, '..data'))
      await event(serves(port))
    }
  })
})

describe('the poll notices', () => {
  test('a change in another folder that a link leads to', async () => {
    const [here, there] = [await makeFolder(), await makeFolder()]
    await writeFile(join(there, 'real.yaml'), sound(1))
    await symlink(join(there, 'real.yaml'), join(here, 'routes.yaml'))
    const { reloader, event } = watchFile(join(here, 'routes.yaml'), { pollMs: 10, settleMs: 5 })
    await reloader.start()
    await replace(join(there, 'real.yaml'), sound(2))
    await event(serves(2))
  })

  test('a folder that is replaced as a whole, and what happens in the new one', async () => {
    const { folder, file, event } = await start({ pollMs: 10 })
    await rename(folder, `${folder}.old`)
    await mkdir(folder)
    await writeFile(file, sound(2))
    await event(serves(2))
    await replace(file, sound(3))
    await event(serves(3))
    await rm(`${folder}.old`, { recursive: true })
  })
})

describe('a reload', () => {
  test('on demand answers with how the newest content stands', async () => {
    const { file, reloader } = await start({ pollMs: never })
    await replace(file, sound(2))
    expect(await reloader.reload()).toMatchObject({ ok: true, snapshot: { revision: 2 } })
    await replace(file, broken)
    expect(await reloader.reload()).toMatchObject({ ok: false })
    expect(await reloader.reload()).toMatchObject({ ok: false })
  })

  test('asked for while one is under way ends on the content written between them', async () => {
    let again: Promise<unknown> | undefined
    const onReload = () => {
      if (again) return
      writeFileSync(file, sound(3))
      again = reloader.reload()
    }
    const { file, reloader, servedPort } = await start({ pollMs: never, onReload })
    await replace(file, sound(2))
    await reloader.reload()
    await again
    expect(servedPort()).toBe(3)
  })

  test('after two writes at once serves the second', async () => {
    const { file, event, servedPort } = await start({ pollMs: never })
    await Promise.all([writeFile(file, sound(2)), replace(file, sound(3))])
    await replace(file, sound(4))
    await event(serves(4))
    expect(servedPort()).toBe(4)
  })

  test('of hundreds of sound and broken edits ends on the last one', async () => {
    const { file, reloader, servedPort, told } = await start({ settleMs: 1 })
    for (let edit = 2; edit <= 300; edit++) await replace(file, edit % 3 === 0 ? broken : sound(edit))
    await replace(file, sound(301))
    await reloader.reload()
    expect(servedPort()).toBe(301)
    const revisions = told.flatMap((loaded) => (loaded.ok ? [loaded.snapshot.revision] : []))
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
  })

  test('of a file with mistakes changes nothing, and tells them', async () => {
    const { file, event, live, servedPort } = await start()
    const served = live.current
    await replace(file, broken)
    const refused = await event(isRefused)
    expect(live.current).toBe(served)
    expect(servedPort()).toBe(1)
    expect(live.problems).toEqual(refused.ok ? [] : refused.problems)
    expect(live.problems.length).toBeGreaterThan(0)
  })

  test('of unchanged content is no new revision and no event', async () => {
    const { file, reloader, told, live } = await start({ pollMs: never })
    const served = live.current
    await utimes(file, 1, 1)
    await replace(file, sound(1))
    expect(await reloader.reload()).toEqual({ ok: true, snapshot: served, warnings: [] })
    expect(told).toEqual([])
  })

  test('of what is served already, after a mistake, clears the mistake without a new revision', async () => {
    const { file, reloader, live } = await start({ pollMs: never })
    const served = live.current
    await replace(file, broken)
    await reloader.reload()
    await replace(file, sound(1))
    expect(await reloader.reload()).toMatchObject({ ok: true, snapshot: { revision: 1 } })
    expect(live.current).toBe(served)
    expect(live.problems).toEqual([])
  })

  test('counts accepted files only', async () => {
    const { file, reloader, live } = await start({ pollMs: never })
    for (const text of [broken, sound(2), broken, sound(3)]) {
      await replace(file, text)
      await reloader.reload()
    }
    expect(live.current.revision).toBe(3)
  })

  test('waits for a file that is still being written', async () => {
    const { file, reloader, told, servedPort } = await start({ pollMs: never, settleMs: 100 })
    await truncate(file)
    const reloaded = reloader.reload()
    const [begin, end] = sound(2).split('unmatched')
    await appendFile(file, begin ?? '')
    await appendFile(file, `unmatched${end}`)
    await reloaded
    expect(servedPort()).toBe(2)
    expect(told.every(({ ok }) => ok)).toBe(true)
  })

  test('takes an empty file for a mistake', async () => {
    const { file, event, servedPort } = await start()
    await truncate(file)
    expect(await event(isRefused)).toMatchObject({
      problems: [{ message: expect.stringContaining('the file is empty') }],
    })
    expect(servedPort()).toBe(1)
  })

  // That a file may not be read cannot be shown where tests run as root, who may read all; a folder in its place can.
  test('takes a folder in place of the file for a mistake', async () => {
    const { file, event, servedPort } = await start()
    await rm(file)
    await mkdir(file)
    await event((loaded) => !loaded.ok && loaded.problems[0]?.message === 'this is no file; name one')
    expect(servedPort()).toBe(1)
  })

  test('over which a filter kind fails is refused as a fault of ours, and the old file serves on', async () => {
    let isFailing = false
    const failing = filterKind({
      name: 'failing',
      sections: {},
      configure: () => {
        if (isFailing) throw new TypeError('undefined is not a function')
        return undefined
      },
    })
    const { file, reloader, servedPort } = await start({ pollMs: never, kinds: [failing] })
    isFailing = true
    await replace(file, sound(2))
    expect(await reloader.reload()).toMatchObject({ ok: false, thrown: expect.any(TypeError) })
    expect(servedPort()).toBe(1)
  })

  test('under way when the reloader is closed comes to nothing, and none comes after', async () => {
    const { file, reloader, told, servedPort } = await start({ pollMs: 1 })
    await replace(file, sound(2))
    const looking = reloader.reload()
    await reloader.close()
    expect(await looking).toMatchObject({ ok: true, snapshot: { revision: 1 } })
    await replace(file, sound(3))
    await reloader.reload()
    expect(told).toEqual([])
    expect(servedPort()).toBe(1)
  })
})
