// Each filter kind is asked once per Route what it will do there, and what it finds wrong is placed in the file.
// The danger it guards against: a kind that is configured with settings that its schema refused.
import type { Configured, Configuring, FilterKind, Place, Section } from '../filter.ts'
import type { RouteDeclaration } from '../model.ts'
import type { DeclaredRoute } from './declaration.ts'
import type { Page } from './page.ts'
import { below, isMapping, valueAt } from './pointer.ts'

/** @param pointer of the route in the file; undefined of `unmatched`, which has no keys of its own */
export function configureFilters(
  page: Page,
  route: RouteDeclaration,
  pointer: string | undefined,
): DeclaredRoute['configured'] {
  const mappingAt = (place: Place) => mappingOf(place, route, pointer)
  return page.kinds.flatMap((kind) => {
    const settings = settingsOf(page, kind, mappingAt)
    const filter = settings && configure(page, kind, settings, { route, mappingAt })
    return filter ? [{ name: kind.name, filter }] : []
  })
}

interface Where {
  readonly route: RouteDeclaration
  readonly mappingAt: (place: Place) => string | undefined
}

/** Undefined when one of the kind's sections has a mistake that its schema sees. */
function settingsOf(page: Page, { sections }: FilterKind, mappingAt: Where['mappingAt']) {
  const settings: Record<string, unknown> = {}
  for (const [key, { at }] of Object.entries(sections)) {
    const mapping = mappingAt(at)
    const pointer = mapping === undefined ? undefined : below(mapping, key)
    if (pointer === undefined || valueAt(page.written.value, pointer) === undefined) continue
    settings[key] = page.checked.at(pointer)
    if (settings[key] === undefined) return undefined
  }
  return settings
}

const routeKeys = new WeakMap<Page, ReadonlySet<string>>()

/** Once for all routes of a file: there may be a thousand. */
function routeKeysOf(page: Page): ReadonlySet<string> {
  const known = routeKeys.get(page)
  if (known) return known
  const routes = valueAt(page.written.value, '/routes')
  const keys = new Set((Array.isArray(routes) ? routes : []).filter(isMapping).flatMap(Object.keys))
  routeKeys.set(page, keys)
  return keys
}

function configure(
  page: Page,
  kind: FilterKind,
  settings: object,
  { route, mappingAt }: Where,
): Configured | undefined {
  const place = (path: readonly (string | number)[]) => {
    const section: Section | undefined = kind.sections[String(path[0])]
    const mapping = section && mappingAt(section.at)
    return mapping === undefined ? route.position : page.written.positionOf(below(mapping, ...path))
  }
  const context: Configuring = {
    route,
    sessionCookie: page.checked.at<string>('/sessionCookie'),
    isOnAnyRoute: (key) => routeKeysOf(page).has(key),
    problem: (path, message) => page.findings.error(place(path), page.written.scrub(message)),
    warn: (path, message) => page.findings.warn(place(path), page.written.scrub(message)),
  }
  return kind.configure(settings, context)
}

/** The mapping that a section stands in. The upstream's is that of the one who answers as declared. */
function mappingOf(place: Place, { upstream }: RouteDeclaration, route: string | undefined): string | undefined {
  if (place === 'top') return ''
  if (place === 'upstream') return below('/upstreams', upstream.name)
  return place === 'move' && route !== undefined ? below(route, 'move') : route
}
