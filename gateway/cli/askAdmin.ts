// Asking the admin listener of the running gateway.
// The danger it guards against: an order that went nowhere and is taken for obeyed.
import type { CoreSettings } from '../model.ts'
import { configOption, type ExitCode, type Given, jsonOption, type Option, UsageError, type World } from './command.ts'
import { configFileOf, settingOf } from './file.ts'

/** An order waits five seconds for the other replicas. */
const withinMs = 8_000
/** A file of thousands of routes is read in turns with the requests, and a plan reads two. */
const readingMs = 60_000
const readings: ReadonlySet<string> = new Set(['/plan', '/reload'])

const adminOption: Option = { type: 'string', value: 'URL', help: "the admin listener; else the configuration's" }

/** Of every command that asks a gateway. */
export const askingOptions = { admin: adminOption, config: configOption, json: jsonOption }

/** A refusal in the listener's words (RFC 9457). */
export interface ProblemBody {
  readonly title: string
  readonly detail?: string
  readonly remedy?: string
}

export type Answered<T> =
  | { readonly ok: true; readonly body: T }
  | { readonly ok: false; readonly status: number; readonly body: ProblemBody }

/** Nothing of ours answers there. */
export class Unreachable extends Error {}

export interface Ask {
  get<T>(path: string): Promise<Answered<T>>
  /** @param body an object goes as JSON, text as it is */
  post<T>(path: string, body?: object | string): Promise<Answered<T>>
}

/** @throws UsageError when nobody says where the gateway is */
async function askerOf(given: Given, world: World): Promise<Ask> {
  const admin = await adminOf(given, world)
  const own = { 'Banyan-Admin': nameOf(world), ...authorizationOf(world) }
  return {
    get: (path) => ask(new URL(path, admin), { headers: own }),
    post: (path, body) => ask(new URL(path, admin), { method: 'POST', ...contentOf(body, own) }),
  }
}

/** @throws UsageError */
function authorizationOf({ env }: World): { Authorization?: string } {
  const token = env.BANYAN_ADMIN_TOKEN?.trim()
  if (!token) return {}
  // What fetch refuses in a field it quotes.
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new UsageError('what is in BANYAN_ADMIN_TOKEN is no token')
  return { Authorization: `Bearer ${token}` }
}

/** What stands in a field is visible ASCII (RFC 9110 §5.5). */
function nameOf({ env }: World): string {
  const user = env.USER || env.LOGNAME
  return user ? `cli:${user.replace(/[^\x21-\x7e]/g, '?')}`.slice(0, 64) : 'cli'
}

function contentOf(body: object | string | undefined, own: Record<string, string>): RequestInit {
  if (body === undefined) return { headers: own }
  if (typeof body === 'string') return { headers: { ...own, 'Content-Type': 'application/yaml' }, body }
  return { headers: { ...own, 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

/** @throws Unreachable */
async function ask<T>(url: URL, init: RequestInit): Promise<Answered<T>> {
  const patienceMs = readings.has(url.pathname) ? readingMs : withinMs
  try {
    const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(patienceMs) })
    const body = (await response.json()) as T & ProblemBody
    if (typeof body !== 'object' || body === null) throw new Error('what it answers is not from a gateway')
    if (response.ok) return { ok: true, body }
    return { ok: false, status: response.status, body }
  } catch (thrown) {
    throw new Unreachable(`no gateway answers at ${url.origin}: ${reasonOf(thrown)}`)
  }
}

/** Says why not, and to a script in JSON too. @returns the exit code */
export function refuse(
  { status, body }: Extract<Answered<unknown>, { ok: false }>,
  { given, world }: Telling,
): ExitCode {
  if (given.isJson) world.print(JSON.stringify(body))
  const { title, detail, remedy } = body
  world.complain([title ?? `it answers ${status}`, detail ?? remedy].filter(Boolean).join(' '))
  // It has taken effect, or may have; a refusal has not.
  return status >= 500 ? 3 : 1
}

/** Says what it answers in JSON or as text, or why not. @returns the exit code */
export function tell<T>(answered: Answered<T>, telling: Telling, textOf: (body: T) => string): ExitCode {
  if (!answered.ok) return refuse(answered, telling)
  const { given, world } = telling
  world.print(given.isJson ? JSON.stringify(answered.body) : textOf(answered.body))
  return 0
}

export interface Telling {
  readonly given: Given
  readonly world: World
}

/** A command's `run`, with 3 for a gateway that is away. */
export function asking(run: (ask: Ask, telling: Telling) => Promise<number>) {
  return async (given: Given, world: World): Promise<number> => {
    try {
      return await run(await askerOf(given, world), { given, world })
    } catch (thrown) {
      if (!(thrown instanceof Unreachable)) throw thrown
      world.complain(thrown.message)
      return 3
    }
  }
}

async function adminOf(given: Given, world: World): Promise<URL> {
  const url = given.value('admin')
  if (url !== undefined) return toUrl(url)
  const file = configFileOf(given, world)
  const admin = await settingOf<CoreSettings['admin']>(file, 'admin', world)
  if (!admin) throw new UsageError(`${file} does not say where the admin listener is; give --admin URL`)
  if (admin.port === 0) throw new UsageError(`the admin port in ${file} is any free one; give --admin URL`)
  // What listens on all addresses is reached through loopback.
  const host = admin.host === '0.0.0.0' ? '127.0.0.1' : admin.host === '::' ? '::1' : admin.host
  return toUrl(`http://${host.includes(':') ? `[${host}]` : host}:${admin.port}`)
}

function toUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError('--admin takes a URL such as http://127.0.0.1:8081')
  if (url.username !== '' || url.password !== '')
    throw new UsageError('--admin takes no user and no password; a token goes into BANYAN_ADMIN_TOKEN')
  return url
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause instanceof Error ? thrown.cause.message : ''
  return cause || thrown.message
}
