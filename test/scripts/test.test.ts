// npm test: its steps in order, the first that fails the last; run with programs in place of the real ones.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/test.ts', import.meta.url))
let bin: string

beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'banyan-steps-'))
})
afterEach(() => rm(bin, { recursive: true, force: true }))

/** @param programs shell scripts by name; a step that is not given passes. @param path where else programs are found */
async function runWith(
  programs: Readonly<Record<string, string>>,
  path = process.env.PATH,
): Promise<{ code: number; lines: readonly string[] }> {
  const shell = { biome: 'exit 0', tsc: 'exit 0', vitest: 'exit 0', ...programs }
  for (const [name, body] of Object.entries(shell)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`)
    await chmod(join(bin, name), 0o755)
  }
  const env = { ...process.env, PATH: `${bin}${delimiter}${path}` }
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const out = await text(child.stdout)
  const [code] = (await ended) as [number]
  return { code, lines: out.trimEnd().split('\n') }
}

const tally = (counts: object) =>
  `for one in "$@"; do case $one in --outputFile.json=*) printf '%s' '${JSON.stringify(counts)}' > "\${one#*=}";; esac; done`

test('says how many tests passed on a line of its own, the last one', async () => {
  const { code, lines } = await runWith({ vitest: tally({ numPassedTests: 12, numFailedTests: 0, success: true }) })
  expect(code).toBe(0)
  expect(lines.filter((line) => line.endsWith('s') && line.includes(' passed in '))).toHaveLength(3)
  expect(lines.at(-1)).toBe('12 passed, 0 failed')
})

test('fails with the tests, and counts them', async () => {
  const counts = { numPassedTests: 11, numFailedTests: 1, numFailedTestSuites: 1, success: false }
  const { code, lines } = await runWith({ vitest: `${tally(counts)}\nexit 1` })
  expect(code).toBe(1)
  expect(lines.at(-1)).toBe('11 passed, 1 failed')
})

test('a file of tests that does not even load is a failure in the count', async () => {
  const counts = { numPassedTests: 11, numFailedTests: 0, numFailedTestSuites: 2, success: false }
  expect((await runWith({ vitest: `${tally(counts)}\nexit 1` })).lines.at(-1)).toBe('11 passed, 2 failed')
})

test('tests that end without a count have failed', async () => {
  expect(await runWith({ vitest: 'exit 139' })).toMatchObject({ code: 139 })
  const { code, lines } = await runWith({ vitest: 'exit 0' })
  expect({ code, last: lines.at(-1) }).toEqual({ code: 1, last: '0 passed, 1 failed' })
})

test('the first step that fails is the last one', async () => {
  const { code, lines } = await runWith({ biome: 'exit 3' })
  expect(code).toBe(3)
  expect(lines.at(-1)).toMatch(/^── lint FAILED after /)
  expect(lines.join('\n')).not.toContain('types')
})

test('a program that tests need, and that cannot be installed, is missed in one line, and the tests run all the same', async () => {
  const nowhere = join(bin, 'nowhere')
  const { lines } = await runWith({ vitest: tally({ numPassedTests: 1, numFailedTests: 1, success: false }) }, nowhere)
  expect(lines.filter((line) => line.includes('redis-server'))).toEqual([
    'redis-server is missing, so tests will fail; root installs it: apt-get install redis-server',
  ])
  expect(lines.at(-1)).toBe('1 passed, 1 failed')
})

test('a program that is missing is installed before the tests, when we may', async () => {
  const installed = join(bin, 'redis-server')
  const aptGet = `[ "$1" != install ] || { printf '#!/bin/sh\\n' > ${installed}; /bin/chmod +x ${installed}; }`
  const { lines } = await runWith(
    { 'apt-get': aptGet, vitest: `[ -x ${installed} ] && echo found` },
    join(bin, 'nowhere'),
  )
  if (process.getuid?.() === 0) expect(lines).toEqual(expect.arrayContaining(['installing redis-server', 'found']))
  else expect(lines.join('\n')).toContain('redis-server is missing')
})
