// What answers say of the limits that they met: the RateLimit fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers-10),
// and after how long a refused request may come again.
// The danger it guards against: a client that is told to come back before there is room for it.
import type { Drawn } from '../model.ts'
import { leftOf, resetMs, waitMs } from './budget.ts'
import { nameOf, type RuleCharge } from './rules.ts'

/** A Charge of a rule, and what came of it. */
export type RuleDrawn = RuleCharge & Drawn

/** name, value, name, value …; of what is only tried out clients are told nothing. */
export function fieldsFor(charges: readonly RuleDrawn[]): readonly string[] {
  const told = charges.filter(({ isDry }) => !isDry)
  if (told.length === 0) return []
  return ['RateLimit-Policy', told.map(policyOf).join(', '), 'RateLimit', told.map(standingOf).join(', ')]
}

/** Until there is room for all that refuses. */
export function retryAfterMs(charges: readonly RuleDrawn[]): number {
  return Math.max(0, ...refusing(charges).map(({ budget, level, cost }) => waitMs(budget, level, cost)))
}

/** For the log: which rule, and of how much; nobody's name. */
export function reasonOf(charges: readonly RuleDrawn[]): string {
  return refusing(charges)
    .map(
      (charge) =>
        `${nameOf(charge.rule, charge.window)}: ${leftOf(charge.budget, charge.level)} left of ${charge.window.amount}`,
    )
    .join(', ')
}

function refusing(charges: readonly RuleDrawn[]): readonly RuleDrawn[] {
  return charges.filter(({ isMet, isDry }) => !isMet && !isDry)
}

function policyOf(charge: RuleDrawn): string {
  const { amount, seconds } = charge.window
  return `"${nameOf(charge.rule, charge.window)}";q=${amount};w=${seconds}`
}

/** `t` is seconds from now, until all of it is there again. */
function standingOf(charge: RuleDrawn): string {
  const { budget, level } = charge
  return `"${nameOf(charge.rule, charge.window)}";r=${leftOf(budget, level)};t=${Math.ceil(resetMs(budget, level) / 1000)}`
}
