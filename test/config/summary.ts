// A Declaration in a few lines, for golden files.
import type { Declaration, DeclaredRoute } from '../../gateway/config/declaration.ts'
import type { CoreSettings, RolloutDeclaration, Upstream } from '../../gateway/model.ts'
import { describeStanding } from '../../gateway/rollout/standing.ts'
import { rolloutOf } from '../rollout/declared.ts'

export function summarise(declaration: Declaration): string {
  const { settings, upstreams, rollouts, routes, unmatched } = declaration
  return [
    'accepted',
    ...ofSettings(settings),
    ...[...upstreams.values()].map(ofUpstream),
    ...[...rollouts.values()].map(ofRollout),
    ...[...routes, unmatched].map(ofRoute),
  ].join('\n')
}

function ofSettings(settings: CoreSettings): string[] {
  const { public: door, probes, admin, stateDir, store, replicas, paths, accessLog } = settings
  return [
    `public    ${door.host} ${door.port}, keepAlive ${door.keepAliveMs} ms, drain ${door.drainMs} ms, trusts [${door.trustedProxies}]${door.proxyProtocol ? `, proxyProtocol ${door.proxyProtocol}` : ''}`,
    `probes    ${probes.host} ${probes.port}`,
    `admin     ${admin.host} ${admin.port}`,
    `stateDir  ${stateDir}`,
    `paths     ${paths.case}, ${paths.trailingSlash}, ${paths.semicolon}`,
    ...(store.state === 'memory:' && replicas === 1 ? [] : [`store     ${store.state}, replicas ${replicas}`]),
    ...(store.cache === 'memory:' ? [] : [`cache     ${store.cache}`]),
    `accessLog ${JSON.stringify(accessLog)}`,
  ]
}

function ofUpstream({ name, targets, connectMs, firstByteMs, idleMs, breaker, ...more }: Upstream): string {
  const each = targets.map(({ origin, host, port, secure }) => `${origin} = ${host} ${port}${secure ? ' TLS' : ''}`)
  const balancing = more.affinity || more.slowStartMs ? `; ${JSON.stringify([more.affinity, more.slowStartMs])}` : ''
  const places = `${each.join(', ')}; ${connectMs}, ${firstByteMs}, ${idleMs} ms${balancing}`
  const { health, outliers, isAdaptive } = more
  const watch = health || outliers || isAdaptive ? `; ${JSON.stringify({ health, outliers, isAdaptive })}` : ''
  return `upstream ${name}: ${places}${breaker ? `; breaker ${JSON.stringify(breaker)}` : ''}${watch}`
}

const usual = rolloutOf('usual', { compares: false })

/** What is not as it is without a word. */
function ofRollout({ key, of, routes, declared, hash, testers, ...rest }: RolloutDeclaration): string {
  const said = Object.entries({ ...rest, ...(testers && { testers: `${testers.by} ${testers.name}` }) }).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(usual[name as keyof RolloutDeclaration]),
  )
  const words = said.map(([name, value]) => `, ${name} ${JSON.stringify(value)}`).join('')
  return `rollout ${key} of ${of} ${routes.join(' ')}: ${describeStanding(declared)}${words}`
}

function ofRoute({ name, match, position, upstream, move, configured }: DeclaredRoute): string {
  const moves = move ? `, ${move.stage} from ${move.from.name} to ${move.to.name}` : ''
  const filters = configured.map(({ name, filter }) => (name === 'observe' || name === 'attempt' ? name : filter.does))
  return `route ${name} ${position.line}:${position.column} ${JSON.stringify(match)} -> ${upstream.name}${moves}; ${filters.join(', ')}`
}
