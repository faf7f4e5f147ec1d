// The gateway's file for a rollback run: this repository's, with the route in canary.
// The danger it guards against: a guard that is kinder than the defaults, and a promise that holds for nobody.
import { routeKeys, withChanges } from '../routes-file.ts'
import { type RollbackPlan, route, sharePercent, visitorCookie } from './plan.ts'

/** Sees what no status tells. The two sides order their results differently, and nothing else. */
const compare = { sample: '100%', by: 'body', unordered: ['$.results'], atMost: '1000/s' }

export function canaryRoutes(text: string, { fault, guard = {} }: Pick<RollbackPlan, 'fault' | 'guard'>): string {
  const isCompared = fault === 'wrong'
  const rules = { ...(isCompared && { maxMismatchShare: '1%' }), ...guard }
  const keys = {
    stage: 'canary',
    share: `${sharePercent}%`,
    stickyBy: { cookie: visitorCookie },
    // Where the old side answers in its place, both have the request: nobody could tell that from a visitor who changed sides.
    fallback: 'none',
    ...(isCompared && { compare }),
    ...(Object.keys(rules).length > 0 && { guard: rules }),
  }
  const move = [...routeKeys(text, route), 'move']
  return withChanges(
    text,
    Object.entries(keys).map(([key, value]) => [[...move, key], value]),
  )
}
