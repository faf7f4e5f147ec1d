// The real command as a child process, in a folder of its own.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll } from 'vitest'
import { refuseSecrets } from '../harness/planted.ts'

const script = new URL('../../bin/banyan.js', import.meta.url).pathname

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Folder {
  readonly path: string
  write(name: string, content: string): Promise<string>
  banyan(args: readonly string[], how?: { stdin?: string; env?: Record<string, string> }): Promise<Ended>
}

/** Removed when the tests of the file have ended. */
export async function newFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'banyan-cli-'))
  afterAll(() => rm(path, { recursive: true, force: true }))
  return {
    path,
    async write(name, content) {
      await writeFile(join(path, name), content)
      return join(path, name)
    },
    async banyan(args, { stdin = '', env = {} } = {}) {
      const child = spawn(process.execPath, [script, ...args], {
        cwd: path,
        env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
      })
      child.stdin.on('error', () => {})
      child.stdin.end(stdin)
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
      const [code, out, err] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
      const said = [{ name: `stderr of ${args.join(' ')}`, text: err }]
      refuseSecrets(showsSecret(args) ? said : [...said, { name: `stdout of ${args.join(' ')}`, text: out }])
      return { code, out, err }
    },
  }
}

/** What makes a secret shows it, once. */
function showsSecret([command, part]: readonly string[]): boolean {
  return command === 'admin' || (command === 'keys' && (part === 'issue' || part === 'rotate'))
}

export const routesYaml = `upstreams:
  monolith: { url: http://127.0.0.1:4000 }
  search: { url: http://127.0.0.1:4100 }
unmatched: monolith
paths: { case: exact, trailingSlash: distinct, semicolon: distinct }
routes:
  - name: search
    match: { path: /api/search, methods: [GET, HEAD] }
    move: { to: search, stage: live }
  - name: tenant
    match: { path: /api/search, fields: { x-tenant: acme } }
    upstream: monolith
  - name: api
    match: { path: /api/* }
    upstream: monolith
`
