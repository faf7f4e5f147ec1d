import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readBreakGlass } from '../../gateway/config/breakGlass.ts'
import { readContent } from '../../gateway/files/content.ts'
import { type BreakGlass, type BreakGlassOptions, createBreakGlass } from '../../gateway/state/breakGlass.ts'

/** A poll that never comes in a test: what is noticed, the watch has noticed. */
const never = 1e9

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-glass-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function open(stateDir: string, how: Partial<BreakGlassOptions> = {}) {
  const changes: BreakGlass['legacy'][] = []
  const troubles: string[] = []
  const known = ['search', 'catalog']
  let wake = () => {}
  const glass = createBreakGlass({
    stateDir,
    read: (text) => readBreakGlass(text, known),
    pollMs: never,
    onChange: ({ legacy }) => {
      changes.push(legacy)
      wake()
    },
    onTrouble: (message) => {
      troubles.push(message)
      wake()
    },
    ...how,
  })
  onTestFinished(() => glass.close())
  /** Resolves once that is so, looked at whenever something is told. */
  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo())
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  return { glass, changes, troubles, known, until, file: join(stateDir, 'break-glass.yaml') }
}

/** As editors do: written beside, then renamed over it. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

const nobody = new Set<string>()

describe('what the file says is in force', () => {
  test('at the start', async () => {
    const folder = await makeFolder()
    await writeFile(join(folder, 'break-glass.yaml'), 'legacy: all\n')
    const { glass, changes } = open(folder)
    expect(glass.current.legacy).toEqual(nobody)
    expect(await glass.start()).toEqual({ legacy: 'all', denyKeys: nobody, problems: [] })
    expect(changes).toEqual(['all'])
  })

  test('without a file: nothing is broken, and nothing is told', async () => {
    const { glass, changes, troubles } = open(await makeFolder())
    expect(await glass.start()).toEqual({ legacy: nobody, denyKeys: nobody, problems: [] })
    expect([changes, troubles]).toEqual([[], []])
  })

  test('once it is written, in place or by a rename, and until it is emptied or deleted', async () => {
    const { glass, changes, until, file } = open(await makeFolder())
    await glass.start()
    await writeFile(file, 'legacy: [search]\n')
    await until(() => changes.length === 1)
    await writeFile(file, 'legacy: [search, catalog]\n')
    await until(() => changes.length === 2)
    await replace(file, 'legacy: all\n')
    await until(() => changes.length === 3)
    await writeFile(file, '')
    await until(() => changes.length === 4)
    await replace(file, 'legacy: all\n')
    await until(() => changes.length === 5)
    await rm(file)
    await until(() => changes.length === 6)
    expect(changes).toEqual([new Set(['search']), new Set(['search', 'catalog']), 'all', nobody, 'all', nobody])
    expect(glass.current).toEqual({ legacy: nobody, denyKeys: nobody, problems: [] })
  })

  test('when Kubernetes swaps the link that its link goes through', async () => {
    const folder = await makeFolder()
    const volume = async (name: string, text: string) => {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'break-glass.yaml'), text)
    }
    await volume('..2026_01', 'legacy: []\n')
    await symlink('..2026_01', join(folder, '..data'))
    const { glass, changes, until, file } = open(folder)
    await symlink('..data/break-glass.yaml', file)
    await glass.start()
    await volume('..2026_02', 'legacy: all\n')
    await symlink('..2026_02', join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
    await until(() => changes.length === 1)
    expect(glass.current.legacy).toBe('all')
  })

  test('in a folder that comes later, or is replaced as a whole', async () => {
    const folder = join(await makeFolder(), 'var')
    const { glass, changes, until, file } = open(folder, { pollMs: 10 })
    await glass.start()
    await mkdir(folder)
    await writeFile(file, 'legacy: all\n')
    await until(() => changes.length === 1)
    await rename(folder, `${folder}.old`)
    await until(() => changes.length === 2)
    await mkdir(folder)
    await writeFile(file, 'legacy: [search]\n')
    await until(() => changes.length === 3)
    expect(changes).toEqual(['all', nobody, new Set(['search'])])
  })

  test('and is not lifted by an editor that moves the old file away before it writes the new one', async () => {
    // So long that a busy machine has written by then.
    const { glass, changes, until, file } = open(await makeFolder(), { settleMs: 1_500 })
    await writeFile(file, 'legacy: [search]\n')
    await glass.start()
    await rename(file, `${file}~`)
    const looking = glass.look()
    // Long enough for that look to have seen that there is no file.
    for (let i = 0; i < 50; i++) expect((await readContent(file)).isMissing).toBe(true)
    await writeFile(file, 'legacy: [search]\n# still\n')
    await looking
    await writeFile(file, 'legacy: all\n')
    await until(() => glass.current.legacy === 'all')
    expect(changes).toEqual([new Set(['search']), 'all'])
  })
})

describe('a file that cannot be used', () => {
  test('leaves in force what it said before, and is told with its place', async () => {
    const { glass, changes, troubles, until, file } = open(await makeFolder())
    await writeFile(file, 'legacy: [search]\n')
    await glass.start()
    await replace(file, 'legacy: [search, cata')
    await until(() => troubles.length === 2)
    expect(glass.current.legacy).toEqual(new Set(['search']))
    expect(troubles).toEqual([
      expect.stringMatching(/^break-glass\.yaml:1:22 {2}.+bracket is not closed/),
      'break-glass.yaml is not understood; what it said before holds on: legacy: [search]',
    ])
    expect(glass.current.problems).toEqual(troubles)
    await replace(file, 'legacy: [search, catalog]')
    await until(() => changes.length === 2)
    expect(glass.current).toEqual({ legacy: new Set(['search', 'catalog']), denyKeys: nobody, problems: [] })
  })

  test('breaks nothing when it said nothing before, loudly', async () => {
    const folder = await makeFolder()
    await writeFile(join(folder, 'break-glass.yaml'), 'legacy: {')
    const { glass, changes, troubles } = open(folder)
    expect((await glass.start()).legacy).toEqual(nobody)
    expect(changes).toEqual([])
    expect(troubles).toHaveLength(2)
    expect(troubles[1]).toBe('break-glass.yaml is not understood; it breaks nothing')
  })

  test('may also be no file, or lie behind links that go in circles', async () => {
    const { glass, troubles, until, file } = open(await makeFolder())
    await writeFile(file, 'legacy: all\n')
    await glass.start()
    await symlink('break-glass.yaml', `${file}.circle`)
    await rename(`${file}.circle`, file)
    await until(() => troubles.length === 2)
    expect(troubles[0]).toContain('its symbolic links go in circles')
    expect(troubles[1]).toContain('holds on: legacy: all')
    expect(glass.current.legacy).toBe('all')
    await symlink('.', `${file}.folder`)
    await rename(`${file}.folder`, file)
    await until(() => troubles.length === 3)
    expect(troubles[2]).toContain('this is no file')
    expect(glass.current.legacy).toBe('all')
  })

  test('is told once, not at each look', async () => {
    const { glass, troubles, until, file } = open(await makeFolder())
    await glass.start()
    await writeFile(file, 'legacy: true')
    await until(() => troubles.length === 2)
    for (let i = 0; i < 5; i++) await glass.look()
    expect(troubles).toHaveLength(2)
  })
})

test('a name that nobody has is told, and no longer once a reload has brought it', async () => {
  const { glass, changes, troubles, known, file } = open(await makeFolder())
  await writeFile(file, 'legacy: [serach]')
  const told = 'break-glass.yaml:1:10  no route or group is called "serach"; did you mean "search"?'
  expect(await glass.start()).toEqual({ legacy: new Set(['serach']), denyKeys: nobody, problems: [told] })
  known.push('serach')
  expect(await glass.look()).toEqual({ legacy: new Set(['serach']), denyKeys: nobody, problems: [] })
  expect([changes.length, troubles]).toEqual([1, [told]])
})

test('what a look has found is in force when it resolves', async () => {
  const { glass, file } = open(await makeFolder())
  await glass.start()
  await writeFile(file, 'legacy: all')
  expect((await glass.look()).legacy).toBe('all')
  await rm(file)
  expect((await glass.look()).legacy).toEqual(nobody)
})

test('a listener that throws, or a reader that does, stops nothing', async () => {
  const folder = await makeFolder()
  await writeFile(join(folder, 'break-glass.yaml'), 'legacy: all')
  const throwing = () => {
    throw new Error('no')
  }
  const { glass, troubles } = open(folder, { onChange: throwing })
  expect((await glass.start()).legacy).toBe('all')
  expect(troubles).toEqual(['what break-glass.yaml says is not in force everywhere: Error: no'])
  const other = open(folder, { read: throwing })
  expect((await other.glass.start()).legacy).toEqual(nobody)
  expect(other.troubles[0]).toContain('the gateway failed over it')
})

test('after the end nothing is told', async () => {
  const { glass, changes, file } = open(await makeFolder(), { pollMs: 1 })
  await glass.start()
  await writeFile(file, 'legacy: all')
  await glass.close()
  expect((await glass.look()).legacy).toEqual(nobody)
  expect(changes).toEqual([])
})

test('keys are denied and let in again, beside what goes to the old side or alone', async () => {
  const { glass, changes, troubles, until, file } = open(await makeFolder())
  await writeFile(file, 'denyKeys: [byn_live_a1B2c3D4]\n')
  expect((await glass.start()).denyKeys).toEqual(new Set(['byn_live_a1B2c3D4']))
  expect(glass.current.legacy).toEqual(nobody)
  await replace(file, 'legacy: all\ndenyKeys: [byn_live_a1B2c3D4, byn_live_00000000]\n')
  await until(() => changes.length === 2)
  expect(glass.current.denyKeys.size).toBe(2)
  await replace(file, 'legacy: all\ndenyKeys: [byn_live_a1B2c3D4, oops]\n')
  await until(() => troubles.length > 0)
  expect(glass.current.denyKeys).toEqual(new Set(['byn_live_a1B2c3D4']))
  await replace(file, 'legacy: all\ndenyKeys: [\n')
  await until(() => troubles.some((trouble) => trouble.includes('denyKeys is not understood')))
  expect(glass.current.denyKeys).toEqual(new Set(['byn_live_a1B2c3D4']))
  await replace(file, '')
  await until(() => glass.current.denyKeys.size === 0)
})
