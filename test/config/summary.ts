// A Declaration in a few lines, for golden files.
import type { Declaration, DeclaredRoute } from '../../gateway/config/declaration.ts'
import type { CoreSettings, Upstream } from '../../gateway/model.ts'

export function summarise(declaration: Declaration): string {
  const { settings, upstreams, routes, unmatched } = declaration
  return [
    'accepted',
    ...ofSettings(settings),
    ...[...upstreams.values()].map(ofUpstream),
    ...[...routes, unmatched].map(ofRoute),
  ].join('\n')
}

function ofSettings({ public: door, probes, admin, stateDir, paths, accessLog }: CoreSettings): string[] {
  return [
    `public    ${door.host} ${door.port}, keepAlive ${door.keepAliveMs} ms, drain ${door.drainMs} ms, trusts [${door.trustedProxies}]`,
    `probes    ${probes.host} ${probes.port}`,
    `admin     ${admin.host} ${admin.port}`,
    `stateDir  ${stateDir}`,
    `paths     ${paths.case}, ${paths.trailingSlash}, ${paths.semicolon}`,
    `accessLog ${JSON.stringify(accessLog)}`,
  ]
}

function ofUpstream({ name, target, connectMs, firstByteMs, idleMs }: Upstream): string {
  const { origin, host, port, secure } = target
  return `upstream ${name}: ${origin} = ${host} ${port}${secure ? ' TLS' : ''}; ${connectMs}, ${firstByteMs}, ${idleMs} ms`
}

function ofRoute({ name, match, position, upstream, move, configured }: DeclaredRoute): string {
  const moves = move ? `, ${move.stage} from ${move.from.name} to ${move.to.name}` : ''
  const filters = configured.map(({ name, filter }) => (name === 'observe' || name === 'attempt' ? name : filter.does))
  return `route ${name} ${position.line}:${position.column} ${JSON.stringify(match)} -> ${upstream.name}${moves}; ${filters.join(', ')}`
}
