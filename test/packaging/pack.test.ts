// What is published works where it is installed: compiled, whole, and without this repository around it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const notOurs = new Set(['node_modules', '.git', 'var', 'dist', 'out'])
const installWithinMs = 240_000

let folder: string
let home: string
let packed: readonly string[]
let origin: Server

/** The repository's copy is packed, so that a run that is cut short leaves no dist/ in the repository itself. */
async function pack(): Promise<{ file: string; names: readonly string[] }> {
  const copy = join(folder, 'clone')
  await cp(root, copy, { recursive: true, filter: (source) => source === root || !notOurs.has(basename(source)) })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const { code, out, errors } = await run('npm', ['pack', '--json', '--pack-destination', folder], copy)
  expect(code, out + errors).toBe(0)
  // The compiler's own words come first.
  const said = JSON.parse(out.slice(out.indexOf('[\n')))
  const files = said[0].files as readonly { path: string }[]
  return { file: join(folder, said[0].filename), names: files.map(({ path }) => path) }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-pack-'))
  home = await mkdtemp(join(tmpdir(), 'banyan-installed-'))
  const { file, names } = await pack()
  packed = names
  await writeFile(join(home, 'package.json'), '{"private":true}')
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--omit=dev']
  const { code, out, errors } = await run('npm', ['install', ...options, file], home)
  expect(code, out + errors).toBe(0)
  origin = createServer((request, response) => response.end(`${request.method} ${request.url} ${request.headers.host}`))
  await once(origin.listen(0, '127.0.0.1'), 'listening')
}, installWithinMs)

afterAll(async () => {
  origin?.close()
  for (const made of [folder, home]) if (made) await rm(made, { recursive: true, force: true })
})

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly errors: string
}

async function run(program: string, args: readonly string[], cwd: string): Promise<Ended> {
  const child = spawn(program, args, { cwd })
  const ended = once(child, 'close')
  const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, out, errors }
}

const banyan = (...args: string[]) => run(join(home, 'node_modules/.bin/banyan'), args, home)

async function routesFile(name: string, stage: string): Promise<string> {
  const { port } = origin.address() as AddressInfo
  const place = '{ host: 127.0.0.1, port: 0 }'
  await writeFile(
    join(home, name),
    `public: ${place}
probes: ${place}
admin: ${place}
upstreams:
  old: { url: "http://127.0.0.1:1" }
  new: { url: "http://127.0.0.1:${port}" }
unmatched: old
routes:
  - name: moved
    match: { path: /moved }
    move: { to: new, stage: ${stage} }
`,
  )
  return name
}

test('the package holds the compiled gateway and what an operator needs, and no source or test', () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      'bin/banyan.js',
      'dist/gateway/cli.js',
      'routes.yaml',
      'gateway/config/routes.schema.json',
      'docs/routes-reference.md',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
    ]),
  )
  expect(packed.filter((path) => /\.ts$|^(test|scripts|load-tests|legacy-mock|services)\//.test(path))).toEqual([])
})

test('the version is that of the package', async () => {
  expect(await banyan('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
})

test('check accepts the routes.yaml that comes with the package', async () => {
  const { code, out, errors } = await banyan('check', 'node_modules/banyan/routes.yaml')
  expect({ code, errors }, out).toEqual({ code: 0, errors: '' })
})

test('check names the line of a mistake and exits 1', async () => {
  const { code, out, errors } = await banyan('check', await routesFile('bad.yaml', 'lvie'))
  expect(code).toBe(1)
  expect(out + errors).toMatch(/^bad\.yaml:11:29 .*did you mean "live"/m)
})

test('run carries a request to the side that its route says, and drains on SIGTERM', async () => {
  const child = spawn(
    join(home, 'node_modules/.bin/banyan'),
    ['run', '--config', await routesFile('run.yaml', 'live')],
    {
      cwd: home,
    },
  )
  const ended = once(child, 'close')
  const errors = text(child.stderr)
  let url: string | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line)
    if (said.msg === 'listening') url = said.public
    if (url) break
  }
  expect(url, await (url ? '' : errors)).toBeDefined()
  const answer = await fetch(`${url}/moved?x=1`)
  expect(await answer.text()).toBe(`GET /moved?x=1 ${new URL(url ?? '').host}`)
  child.stdout.resume()
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
