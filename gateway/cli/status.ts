// banyan status: what the running gateway serves, and whether it has refused a file.
// The danger it guards against: an operator who believes that the newest file is served.
import { formatProblems } from '../config/problems.ts'
import type { RouteStatus, Status, UpstreamStatus } from '../ops/status.ts'
import { type Ask, asking, askingOptions, refuse, type Telling, Unreachable } from './askAdmin.ts'
import type { Command } from './command.ts'
import { listHistory, sinceOption } from './history.ts'
import { standingText } from './order.ts'
import { table } from './table.ts'
import { watch } from './watch.ts'
import { watchLines } from './watchLines.ts'

export const status: Command = {
  name: 'status',
  operands: '',
  count: [0, 0],
  summary: 'Asks the running gateway what it serves. Exits 1 when it has refused the newest file.',
  options: {
    watch: { type: 'boolean', help: 'each rollout in a line, refreshed each second: stage, traffic, errors, verdict' },
    since: { ...sinceOption, help: 'every change since then instead: a duration such as 1h, or a time in ISO 8601' },
    ...askingOptions,
  },
  run: asking((ask, telling) => {
    const { given } = telling
    if (given.value('since') !== undefined) return listHistory(ask, telling)
    return given.values('watch').length > 0 ? watch(ask, telling) : show(ask, telling)
  }),
}

async function show(ask: Ask, { given, world }: Telling): Promise<number> {
  const answered = await ask.get<Status>('/status')
  if (!answered.ok) return refuse(answered, { given, world })
  const found = answered.body
  if (!Array.isArray(found.routes)) throw new Unreachable('no gateway answers there: something else does')
  world.print(given.isJson ? JSON.stringify(found) : textOf(found))
  return found.problems.length > 0 ? 1 : 0
}

function textOf(found: Status): string {
  const { revision, hash, loadedAt, version, uptimeSeconds, draining, pressure } = found
  const serving = revision === undefined ? 'nothing yet' : `revision ${revision} (${hash}) of ${loadedAt}`
  return [
    `banyan ${version} serves ${serving}; up ${uptimeSeconds} s${draining ? '; draining' : ''}${pressureOf(pressure)}`,
    '',
    table([['ROUTE', 'PATH', 'STAGE', 'ANSWERS', 'REQUESTS', 'NEAR MISSES'], ...found.routes.map(rowOf(found))]),
    ...found.routes.flatMap(limitOf),
    '',
    table([
      ['UPSTREAM', 'ORIGIN', 'CONNECTS', 'CONNECTIONS', 'LAST ATTEMPT', 'BREAKER'],
      ...found.upstreams.map(({ name, origin, balance, connects, connections, ...how }) => [
        name,
        balance ? `${balance.targets.length} targets` : origin,
        connects ? 'yes' : 'no',
        `${connections.open} of ${connections.most}${connections.waiting > 0 ? `, ${connections.waiting} wait` : ''}`,
        lastAttemptOf(how),
        breakerOf(how.breaker),
      ]),
    ]),
    ...targetLines(found),
    ...watchLines(found),
    ...found.hints.map((hint) => `\nhint: ${hint}`),
    ...(found.warnings.length > 0 ? [`\n${formatProblems('routes.yaml', found.warnings)}`] : []),
    ...(found.refused === undefined ? [] : [`\n${formatProblems('routes.yaml', found.problems)}\n${found.refused}`]),
  ].join('\n')
}

/** What is refused because the gateway is behind: nothing is said of one that keeps up. */
function pressureOf({ lagMs, shed }: Status['pressure']): string {
  const refused = Object.entries(shed).flatMap(([priority, count]) => (count > 0 ? [`${count} ${priority}`] : []))
  const lag = lagMs > 0 ? `; ${lagMs} ms behind` : ''
  return refused.length > 0 ? `${lag}; refused for being behind: ${refused.join(', ')}` : lag
}

function lastAttemptOf({ state, lastFailure, since }: Pick<UpstreamStatus, 'state' | 'lastFailure' | 'since'>): string {
  return `${state}${state === 'failing' && lastFailure ? `: ${lastFailure}` : ''}${since ? ` since ${since}` : ''}`
}

function rowOf({ nearMisses }: Status) {
  return (route: RouteStatus): string[] => {
    const { name, match, requests } = route
    const methods = match.methods ? `${match.methods.join(',')} ` : ''
    return [
      name,
      `${methods}${match.host ?? ''}${match.path}`,
      stageOf(route),
      answersOf(route),
      String(requests),
      String(nearMisses[name] ?? 0),
    ]
  }
}

/** Of upstreams that have several. */
function targetLines({ upstreams }: Status): string[] {
  const rows = upstreams.flatMap(({ name, balance }) =>
    (balance?.targets ?? []).map(({ origin, isUp, warmth, active, open, unreached }) => [
      name,
      origin,
      `${isUp ? 'yes' : 'no'}${warmth < 1 ? `, given ${Math.round(warmth * 100)}%` : ''}`,
      ...[active, open, unreached].map(String),
    ]),
  )
  const head = ['UPSTREAM', 'TARGET', 'UP', 'REQUESTS', 'CONNECTIONS', 'NOT REACHED']
  return rows.length > 0 ? ['', table([head, ...rows])] : []
}

/** Of a Route that refuses somebody, or would. */
function limitOf({ name, limit }: RouteStatus): string[] {
  if (!limit || limit.refused + limit.wouldRefuse + limit.unknown === 0) return []
  const { allowed, refused, wouldRefuse, unknown } = limit
  const said = [
    `${allowed} allowed`,
    `${refused} refused`,
    `${wouldRefuse} would be refused`,
    `${unknown} refused for want of the store`,
  ]
  return [`limit of ${name}: ${said.filter((part) => !part.startsWith('0 ')).join(', ')}`]
}

function breakerOf(breaker: UpstreamStatus['breaker']): string {
  if (!breaker) return '-'
  const { state, since, reason, retryInSeconds } = breaker
  if (state === 'closed') return state
  const trial =
    retryInSeconds === undefined ? '' : `; one trial ${retryInSeconds > 0 ? `in ${retryInSeconds} s` : 'next'}`
  return `${state === 'open' ? 'open' : 'half-open'} since ${since}: ${reason}${trial}`
}

/** What requests meet, and what the file says where that is something else. */
function stageOf({ stage, effective }: RouteStatus): string {
  if (!effective) return '-'
  return effective.why === 'file'
    ? standingText(effective)
    : `${standingText(effective)} (${effective.why}; file: ${stage})`
}

function answersOf({ upstream, effective, from, to }: RouteStatus): string {
  if (!effective) return upstream
  const { share } = effective
  const now = share === '0%' ? from : share === '100%' ? to : `${share} ${to}`
  return `${now} (${from} → ${to})`
}
