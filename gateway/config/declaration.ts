// What one reading of the file comes to: checked, every name resolved, nothing bound yet to anything that runs.
import type { Configured } from '../filter.ts'
import type { CoreSettings, Problem, RolloutDeclaration, RouteDeclaration, Upstream } from '../model.ts'

/** A Route with the filters that its sections ask for, in the order in which a request meets them. */
export interface DeclaredRoute extends RouteDeclaration {
  readonly configured: readonly { readonly name: string; readonly filter: Configured }[]
}

export interface Declaration {
  /** The first 12 hexadecimal digits of the SHA-256 of the text. */
  readonly hash: string
  readonly settings: CoreSettings
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** In the order of the file, without `unmatched`. */
  readonly routes: readonly DeclaredRoute[]
  readonly unmatched: DeclaredRoute
  /** By key. */
  readonly rollouts: ReadonlyMap<string, RolloutDeclaration>
  readonly warnings: readonly Problem[]
}
