// The rules of the house as functions of its sources: each gives back its violations as `file:line rule`.
import { exportsOf, type Import, importsOf, lineAt, type Source } from './sources.ts'

export interface Place {
  /** A file, or a folder with a slash at its end. */
  readonly at: string
  /** Files and folders of gateway/ that it may import; `type x` for their types only. */
  readonly mayImport: readonly string[]
  /** Whether its files may import each other; a folder's do unless it says no. */
  readonly isApart?: boolean
  /** Who may import it; absent: whoever's own line allows it. */
  readonly onlyFor?: readonly string[]
}

const fits = (path: string, place: string) => (place.endsWith('/') ? path.startsWith(place) : path === place)

/** The most specific place that a file is in. */
export function placeOf(path: string, places: readonly Place[]): Place | undefined {
  return places.filter(({ at }) => fits(path, at)).sort((a, b) => b.at.length - a.at.length)[0]
}

export function findForbiddenImports(sources: readonly Source[], places: readonly Place[]): readonly string[] {
  return sources.flatMap((source) => {
    const place = placeOf(source.path, places)
    if (!place) return [`${source.path}:1 has no place in the import rule`]
    return importsOf(source)
      .filter((one) => one.isOurs && !mayImport(one, place, places))
      .map(({ line, target }) => `${source.path}:${line} ${place.at} may not import ${target}`)
  })
}

function mayImport({ target, isTypeOnly }: Import, place: Place, places: readonly Place[]): boolean {
  const home = placeOf(target, places)
  if (home?.onlyFor && !home.onlyFor.includes(place.at)) return false
  if (home === place) return !place.isApart
  return place.mayImport.some((allowed) => {
    if (allowed.startsWith('type ')) return isTypeOnly && fits(target, allowed.slice('type '.length))
    return fits(target, allowed)
  })
}

/** @param homes the one place that may import a package, by the package's name. */
export function findStrayPackages(
  sources: readonly Source[],
  homes: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  return sources.flatMap((source) =>
    importsOf(source)
      .filter(({ isOurs, target }) => !isOurs && !target.startsWith('node:'))
      .filter(({ target }) => !homes[target]?.some((home) => fits(source.path, home)))
      .map(({ line, target }) => {
        const home = homes[target]
        return `${source.path}:${line} ${home ? `${target} is imported by ${home.join(', ')} only` : `${target} has no place`}`
      }),
  )
}

export function findCycles(sources: readonly Source[]): readonly string[] {
  const edges = new Map(sources.map((source) => [source.path, importsOf(source).filter(({ isOurs }) => isOurs)]))
  const done = new Set<string>()
  const found: string[] = []
  const walk = (path: string, trail: readonly string[]) => {
    for (const { target, line } of edges.get(path) ?? []) {
      const start = trail.indexOf(target)
      if (start >= 0) found.push(`${path}:${line} closes a cycle: ${[...trail.slice(start), target].join(' → ')}`)
      else if (!done.has(target)) walk(target, [...trail, target])
    }
    done.add(path)
  }
  for (const path of edges.keys()) if (!done.has(path)) walk(path, [path])
  return found
}

/** @param longer files that may be longer than their kind, with how long. */
export function findLongFiles(
  sources: readonly Source[],
  longer: Readonly<Record<string, { readonly lines: number }>> = {},
): readonly string[] {
  return sources.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length
    const limit = longer[path]?.lines ?? (path.startsWith('test/') ? 400 : 200)
    return lines > limit ? [`${path}:${lines} is longer than ${limit} lines`] : []
  })
}

const vague = new Set(['manager', 'helper', 'util', 'handler', 'data'])

/** Words of camelCase, snake_case and kebab-case names, without a plural's s. `metadata` is one word, and another one. */
function vagueWordIn(name: string): string | undefined {
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []
  return words.find((word) => vague.has(word.toLowerCase()) || vague.has(word.toLowerCase().replace(/s$/, '')))
}

export function findVagueNames(sources: readonly Source[]): readonly string[] {
  return sources.flatMap((source) => {
    const names = [...source.path.split('/').map((name) => ({ name, line: 1 })), ...exportsOf(source)]
    return names
      .filter(({ name }) => vagueWordIn(name) !== undefined)
      .map(({ name, line }) => `${source.path}:${line} "${name}" says nothing: name what it does`)
  })
}

export function findWithoutOpening(sources: readonly Source[]): readonly string[] {
  return sources
    .filter(({ text }) => !/^\/\/ \S/.test(text))
    .map(({ path }) => `${path}:1 does not open with a comment: what it is for, and the danger it guards against`)
}

/** @param excused files that use a timer for something else than waiting. */
export function findSleeps(
  sources: readonly Source[],
  excused: Readonly<Record<string, string>> = {},
): readonly string[] {
  return sources
    .filter(({ path }) => !(path in excused))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\bsetTimeout\s*\(|\bimport\s*\{[^}]*\bsetTimeout\b/g)].map(
        (match) => `${path}:${lineAt(text, match.index)} a test waits for an event, not for time`,
      ),
    )
}
