// How a budget is used and comes back: the Generic Cell Rate Algorithm in its form of a leaky bucket (ITU-T I.371, Annex A, shows
// that it is the same as the other form), with a cost for each request, and the same for what comes back at midnight.
// The dangers it guards against: a clock that is put back and gives or takes an hour of everybody's budget, and a reservation
// given back that time has given back already.
import type { Budget, Drawn, Level } from '../model.ts'

const dayMs = 86_400_000

/** Sums of fractions miss by less; nobody waits for that. */
const dust = 1e-6

/** What is still used at that time. */
export function levelAt({ perMs }: Budget, level: Level | undefined, now: number): Level {
  if (!level || (perMs === 0 && dayOf(now) > dayOf(level.at))) return { used: 0, at: now, charged: 0, born: now }
  if (perMs === 0) return level
  // For the step of a clock that was put back nothing comes back, and from there on what does.
  return { ...level, used: Math.max(0, level.used - perMs * Math.max(0, now - level.at)), at: now }
}

/** Whether there is room, and how the budget stands: with the cost on it if there is. */
export function draw(budget: Budget, level: Level | undefined, cost: number, now: number): Drawn {
  const known = levelAt(budget, level, now)
  const isMet = known.used + cost <= budget.most + dust
  return { isMet, level: isMet ? charge(known, cost) : known }
}

function charge(level: Level, cost: number): Level {
  return { ...level, used: level.used + cost, charged: level.charged + cost }
}

/** What was reserved, how it came out, and the level with the reservation on it. */
export interface Settlement {
  readonly reserved: number
  readonly cost: number
  readonly booked: Pick<Level, 'charged' | 'born'>
}

/**
 * What comes out dearer than was reserved is used too, room or not. What comes out cheaper is given back, but for what has come
 * back by itself: first charged is first back, and so much of what was charged up to the reservation is still used.
 */
export function settle(budget: Budget, level: Level | undefined, settlement: Settlement, now: number): Level {
  const { reserved, cost, booked } = settlement
  const known = levelAt(budget, level, now)
  if (cost >= reserved) return charge(known, cost - reserved)
  const stillUsed = known.born === booked.born ? booked.charged - (known.charged - known.used) : 0
  return { ...known, used: known.used - Math.max(0, Math.min(reserved - cost, stillUsed)) }
}

/** What may be used at once. */
export function leftOf({ most }: Budget, { used }: Level): number {
  return Math.max(0, Math.floor(most - used + dust))
}

/** Until there is room for that cost, if nobody else takes any. */
export function waitMs(budget: Budget, level: Level, cost: number): number {
  if (budget.perMs === 0) return untilMidnight(level.at)
  return Math.max(0, level.used + cost - budget.most) / budget.perMs
}

/** Until nothing of it is used any more: then its level may be forgotten. */
export function resetMs({ perMs }: Budget, { used, at }: Level): number {
  if (used === 0) return 0
  return perMs === 0 ? untilMidnight(at) : used / perMs
}

/** This gateway's part of a budget of the fleet; never too little for one request. */
export function shareOf(budget: Budget, gateways: number, cost: number): Budget {
  return { most: Math.max(cost, budget.most / gateways), perMs: budget.perMs / gateways }
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / dayMs)
}

function untilMidnight(atMs: number): number {
  return (dayOf(atMs) + 1) * dayMs - atMs
}
