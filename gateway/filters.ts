// THE list of filter kinds, in the order in which a request meets them.
import type { FilterKind } from './filter.ts'
import { attempt } from './filters/attempt.ts'
import { breaker } from './filters/breaker.ts'
import { compare } from './filters/compare.ts'
import { observe } from './filters/observe.ts'
import { split } from './filters/split.ts'
import { writes } from './filters/writes.ts'

export const filters: readonly FilterKind[] = [observe, split, writes, compare, breaker, attempt]
