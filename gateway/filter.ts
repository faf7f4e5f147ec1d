// What a kind of filter is. A feature is one file that exports one of these, and one line in filters.ts.
import type { Static, TSchema } from 'typebox'
import type { Services } from './model/ports.ts'
import type { Filter, RouteDeclaration } from './model.ts'

/** Where in routes.yaml a section lives: in each route, in its `move`, in each upstream, or at the top of the file. */
export type Place = 'route' | 'move' | 'upstream' | 'top'

export interface Section<S extends TSchema = TSchema> {
  readonly at: Place
  /** The one declaration: type, defaults, check and the editors' JSON Schema come from it. Needs a `description`. */
  readonly schema: S
}

export type Sections = Readonly<Record<string, Section>>

/** Key to its checked value with defaults filled in; a key that the file does not have is absent. */
export type Settings<S extends Sections> = { readonly [K in keyof S]?: Static<S[K]['schema']> }

/** What a kind may know and say while it is configured for one Route. */
export interface Configuring {
  readonly route: RouteDeclaration
  /** The `sessionCookie` of the file. */
  readonly sessionCookie?: string | undefined
  /** Whether a Route of the file, this or another, has that key. */
  isOnAnyRoute(key: string): boolean
  /** A mistake that a schema cannot see. @param path from the section's key down, e.g. `['rewrite', 'path']` */
  problem(path: readonly (string | number)[], message: string): void
  /** A doubt: the file is accepted. */
  warn(path: readonly (string | number)[], message: string): void
}

/** A filter ready to be bound to the ports it uses. */
export interface Configured {
  /** What it will do on this Route, as a clause for `banyan explain`; no secrets. */
  readonly does: string
  /** Once per Snapshot. */
  bind(services: Services): Filter
}

/** Three nested functions for three lifetimes: configure (one reading), bind (one Snapshot), the filter (one request). */
export interface FilterKind<S extends Sections = Sections> {
  /** Its name in DESIGN's list, metrics and `explain`. */
  readonly name: string
  readonly sections: S
  /** Once per Route per reading. Undefined: this Route does not use it, and it costs nothing there. */
  configure(settings: Settings<S>, context: Configuring): Configured | undefined
}

/** Declares a kind with its settings typed by its own sections. */
export function filterKind<const S extends Sections>(kind: FilterKind<S>): FilterKind {
  return kind as unknown as FilterKind
}
