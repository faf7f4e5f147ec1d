// banyan status: what the running gateway serves, and whether it has refused a file.
// The danger it guards against: an operator who believes that the newest file is served.
import { formatProblems } from '../config/problems.ts'
import type { CoreSettings } from '../model.ts'
import type { Status } from '../ops/status.ts'
import { type Command, configOption, type Given, jsonOption, UsageError, type World } from './command.ts'
import { configFileOf, settingOf } from './file.ts'
import { table } from './table.ts'

const withinMs = 5000

export const status: Command = {
  name: 'status',
  operands: '',
  count: [0, 0],
  summary: 'Asks the running gateway what it serves. Exits 1 when it has refused the newest file.',
  options: {
    admin: { type: 'string', value: 'URL', help: "the admin listener; else the configuration's" },
    config: configOption,
    json: jsonOption,
  },
  run,
}

async function run(given: Given, world: World): Promise<number> {
  const admin = await adminOf(given, world)
  let found: Status
  try {
    found = await fetchStatus(admin)
  } catch (thrown) {
    world.complain(`no gateway answers at ${admin.origin}: ${reasonOf(thrown)}`)
    return 3
  }
  world.print(given.isJson ? JSON.stringify(found) : textOf(found))
  return found.problems.length > 0 ? 1 : 0
}

async function fetchStatus(admin: URL): Promise<Status> {
  const response = await fetch(new URL('/status', admin), { redirect: 'error', signal: AbortSignal.timeout(withinMs) })
  const body = (await response.json()) as Status & { title?: string }
  if (!response.ok || !Array.isArray(body.routes)) throw new Error(body.title ?? `it answers ${response.status}`)
  return body
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
  return url
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause instanceof Error ? thrown.cause.message : ''
  return cause || thrown.message
}

function textOf(found: Status): string {
  const { revision, hash, loadedAt, version, uptimeSeconds, draining } = found
  const serving = revision === undefined ? 'nothing yet' : `revision ${revision} (${hash}) of ${loadedAt}`
  return [
    `banyan ${version} serves ${serving}; up ${uptimeSeconds} s${draining ? '; draining' : ''}`,
    '',
    table([['ROUTE', 'PATH', 'STAGE', 'ANSWERS', 'REQUESTS', 'NEAR MISSES'], ...found.routes.map(rowOf(found))]),
    '',
    table([
      ['UPSTREAM', 'ORIGIN', 'CONNECTS', 'LAST ATTEMPT'],
      ...found.upstreams.map(({ name, origin, connects, state, lastFailure, since }) => [
        name,
        origin,
        connects ? 'yes' : 'no',
        `${state}${state === 'failing' && lastFailure ? `: ${lastFailure}` : ''}${since ? ` since ${since}` : ''}`,
      ]),
    ]),
    ...found.hints.map((hint) => `\nhint: ${hint}`),
    ...(found.warnings.length > 0 ? [`\n${formatProblems('routes.yaml', found.warnings)}`] : []),
    ...(found.refused === undefined ? [] : [`\n${formatProblems('routes.yaml', found.problems)}\n${found.refused}`]),
  ].join('\n')
}

function rowOf({ nearMisses }: Status) {
  return ({ name, match, stage, upstream, from, to, requests }: Status['routes'][number]): string[] => {
    const methods = match.methods ? `${match.methods.join(',')} ` : ''
    const move = from === undefined ? upstream : `${upstream} (${from} → ${to})`
    return [
      name,
      `${methods}${match.host ?? ''}${match.path}`,
      stage ?? '-',
      move,
      String(requests),
      String(nearMisses[name] ?? 0),
    ]
  }
}
