// Which standing requests meet: the strongest of what the file, the operators, the guard and the broken glass say (DESIGN §8).
// The danger it guards against: an edit that ends a rollback which was not meant, or one that was meant and does not.
import type { Effective, Overrides, RolloutDeclaration, Standing } from '../model.ts'
import { compareStandings, describeStanding, isSameStanding, rankOf, standingAt } from './standing.ts'

/** What is decided outside the rollout itself. */
export interface Circumstances {
  /** `legacy:` of break-glass.yaml. */
  readonly brokenGlass: 'all' | ReadonlySet<string>
  /** Neither the store nor the mirror could be read. */
  readonly isStateUnknown: boolean
}

export function effectiveOf(
  rollout: RolloutDeclaration,
  overrides: Overrides,
  { brokenGlass, isStateUnknown }: Circumstances,
): Effective {
  const standing = decidedOf(rollout, overrides, isStateUnknown)
  // Nothing goes back past final, whoever took it there: the old side may not even be there.
  if (standing.stage === 'final' || !isNamed(brokenGlass, rollout)) return standing
  return { ...standingAt('legacy'), why: 'breakGlass', reason: 'break-glass.yaml names it' }
}

/** Where it stands but for the broken glass. */
export function decidedOf(
  { declared }: RolloutDeclaration,
  { rollback, pause, advance }: Overrides,
  isStateUnknown = false,
): Effective {
  if (rollback) return { ...rollback.to, why: 'rollback', reason: rollback.reason }
  if (isStateUnknown && rankOf(declared.stage) < rankOf('live')) {
    const reason = 'what was decided about it could not be read, so it stays with the old side'
    return { ...standingAt('legacy'), why: 'stateUnknown', reason }
  }
  const wanted: Effective = advance
    ? { ...advance.to, why: 'advance', reason: advance.reason }
    : { ...declared, why: 'file' }
  if (pause && compareStandings(pause.held, wanted) <= 0) return { ...pause.held, why: 'pause', reason: pause.reason }
  return wanted
}

function isNamed(brokenGlass: Circumstances['brokenGlass'], { key, routes }: RolloutDeclaration): boolean {
  return brokenGlass === 'all' || brokenGlass.has(key) || routes.some((route) => brokenGlass.has(route))
}

/** The overrides that a new reading of the file leaves, and a sentence for each that it ends. */
export function surviving(
  { declared }: RolloutDeclaration,
  { rollback, pause, advance }: Overrides,
): { readonly overrides: Overrides; readonly ended: readonly string[] } {
  const isMet = rollback && compareStandings(declared, rollback.to) <= 0
  const isOvertaken = advance && !isSameStanding(declared, advance.declared)
  return {
    overrides: {
      ...(rollback && !isMet && { rollback }),
      ...(pause && { pause }),
      ...(advance && !isOvertaken && { advance }),
    },
    ended: [
      isMet ? [`the file asks for ${describeStanding(declared)}: the rollback has been taken over`] : [],
      isOvertaken ? [`the file says ${describeStanding(declared)} now: it goes before the steps`] : [],
    ].flat(),
  }
}

/** Where a rollback goes: comparison stays on where there was one. */
export function rolledBack({ compares }: RolloutDeclaration): Standing {
  return standingAt(compares ? 'shadow' : 'legacy')
}
