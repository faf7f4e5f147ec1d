// In an installed package Node strips no types: the thread must start from the compiled files there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const home = await mkdtemp(join(tmpdir(), 'banyan-comparing-'))
afterAll(() => rm(home, { recursive: true, force: true }))

async function run(program: string, ...args: string[]): Promise<string> {
  const child = spawn(program, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const said = await text(child.stdout)
  expect(await ended, said).toEqual([0, null])
  return said
}

test('a comparison in the compiled package ends as one from the sources does', async () => {
  const place = join(home, 'node_modules/banyan')
  const project = join(home, 'tsconfig.json')
  await writeFile(
    project,
    JSON.stringify({
      extends: join(root, 'tsconfig.build.json'),
      compilerOptions: { outDir: join(place, 'dist'), rootDir: root, typeRoots: [join(root, 'node_modules/@types')] },
      include: [join(root, 'gateway/comparing')],
    }),
  )
  await run(join(root, 'node_modules/.bin/tsc'), '-p', project)
  await writeFile(join(place, 'package.json'), '{"name":"banyan","type":"module"}')
  const program = `
    import { createComparer } from './node_modules/banyan/dist/gateway/comparing/pool.js'
    // A comparer keeps no process alive.
    const keepAlive = setInterval(() => {}, 1000)
    const comparer = createComparer({ workers: 1, timeoutMs: 20000, heapMb: 64, key: new Uint8Array(8) })
    const answer = (text) => ({ status: 200, fields: [], body: Buffer.from(text) })
    const rules = { by: 'body', fields: [], ignore: [], unordered: [] }
    const { differences } = await comparer.compare(answer('{"a":1}'), answer('{"a":2}'), rules)
    console.log(differences.map(({ kind, path }) => kind + ' ' + path).join())
    await comparer.close()
    clearInterval(keepAlive)`
  expect(await run(process.execPath, '--input-type=module', '-e', program)).toBe('value $.a\n')
})
