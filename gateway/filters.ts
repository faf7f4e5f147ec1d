// THE list of filter kinds, in the order in which a request meets them.
import type { FilterKind } from './filter.ts'
import { affinity } from './filters/affinity.ts'
import { attempt } from './filters/attempt.ts'
import { authenticate } from './filters/authenticate.ts'
import { breaker } from './filters/breaker.ts'
import { cache } from './filters/cache.ts'
import { compare } from './filters/compare.ts'
import { deadline } from './filters/deadline.ts'
import { fallback } from './filters/fallback.ts'
import { internalToken } from './filters/internalToken.ts'
import { limit } from './filters/limit.ts'
import { observe } from './filters/observe.ts'
import { retry } from './filters/retry.ts'
import { screen } from './filters/screen.ts'
import { secret } from './filters/secret.ts'
import { shed } from './filters/shed.ts'
import { split } from './filters/split.ts'
import { writes } from './filters/writes.ts'

export const filters: readonly FilterKind[] = [
  observe,
  screen,
  shed,
  authenticate,
  deadline,
  limit,
  split,
  affinity,
  writes,
  cache,
  compare,
  fallback,
  retry,
  breaker,
  internalToken,
  secret,
  attempt,
]
